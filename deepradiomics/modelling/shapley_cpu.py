"""Passes through trees, compiled: of :mod:`.shapley_trees`, and of walks through XGBoost's. Needs numba."""

import numpy as np

from deepradiomics.kernels import njit


@njit
def row_values(row, background, roots, left, right, feature, threshold, value):  # type: ignore[no-untyped-def]
    """Sum over background rows and trees of the Shapley values of one patient, (p,)."""
    p = len(row)
    total = np.zeros(p)
    most = 512  # columns on one path: never more than a tree is deep
    inverse = np.ones((most, most))  # 1 / binomial(a + b, a)
    for a in range(most):
        for b in range(1, most):
            inverse[a, b] = inverse[a, b - 1] * b / (a + b)
    side = np.zeros(p, np.int8)  # 1: the patient's, -1: the background row's, 0: not met yet
    path = np.empty(most, np.int32)  # columns decided on the way, in their order
    nodes = np.empty(most, np.int32)  # ways still to go: node, columns decided before it, column and side it decides
    depths = np.empty(most, np.int32)
    columns = np.empty(most, np.int32)
    sides = np.empty(most, np.int8)
    for b in range(len(background)):
        other = background[b]
        for root in roots:
            waiting, depth, ours = 0, 0, 0  # ours: how many of the path's columns are the patient's
            node = root
            while True:
                while left[node] >= 0:
                    column = feature[node]
                    mine = left[node] if row[column] <= threshold[node] else right[node]
                    theirs = left[node] if other[column] <= threshold[node] else right[node]
                    if mine == theirs or side[column] == 1:
                        node = mine
                    elif side[column] == -1:
                        node = theirs
                    else:
                        nodes[waiting], depths[waiting], columns[waiting], sides[waiting] = theirs, depth, column, -1
                        waiting += 1
                        path[depth] = column
                        side[column] = 1
                        depth += 1
                        ours += 1
                        node = mine
                leaf = value[node]
                if depth > 0 and leaf != 0.0:
                    yours = depth - ours
                    # f (u-1)! v! / (u+v)! = f / (u binomial(u+v, u)), and likewise for the others
                    plus = leaf * inverse[ours, yours] / ours if ours else 0.0
                    minus = leaf * inverse[ours, yours] / yours if yours else 0.0
                    for d in range(depth):
                        if side[path[d]] == 1:
                            total[path[d]] += plus
                        else:
                            total[path[d]] -= minus
                if waiting == 0:
                    break
                waiting -= 1
                while depth > depths[waiting]:
                    depth -= 1
                    ours -= side[path[depth]] == 1
                    side[path[depth]] = 0
                node = nodes[waiting]
                path[depth] = columns[waiting]
                side[columns[waiting]] = sides[waiting]
                depth += 1
            for d in range(depth):
                side[path[d]] = 0
    return total


@njit
def walk_steps(start, end, place, roots, left, right, feature, condition):  # type: ignore[no-untyped-def]
    """Changes of a booster's log-odds on the way from one row to another; the first entry is the sum at the start.

    After s steps the columns with place < s have the values of `end`. A node at which the rows part therefore splits
    the steps in two: up to its column's place they follow `start`, beyond it `end`.
    """
    steps = np.zeros(len(start) + 1)
    nodes = np.empty(512, np.int32)
    lows = np.empty(512, np.int32)
    highs = np.empty(512, np.int32)
    for root in roots:
        nodes[0], lows[0], highs[0] = root, 0, len(start) + 1
        waiting = 1
        while waiting:
            waiting -= 1
            node, low, high = nodes[waiting], lows[waiting], highs[waiting]
            while left[node] >= 0:
                column = feature[node]
                first = left[node] if start[column] < condition[node] else right[node]
                then = left[node] if end[column] < condition[node] else right[node]
                change = place[column] + 1  # the first step that has the column's new value
                if first == then or change >= high:
                    node = first
                elif change <= low:
                    node = then
                else:
                    nodes[waiting], lows[waiting], highs[waiting] = then, change, high
                    waiting += 1
                    node, high = first, change
            steps[low] += condition[node]
            if high < len(steps):
                steps[high] -= condition[node]
    return steps
