"""The house in figures: sizes, hidden imports, cycles and names of the code, before and after it was rebuilt.

    python -m Testing.house                                   the table: issue's first commit, working tree, goals
    python -m Testing.house --at COMMIT                       one column, of any commit
    python -m Testing.house --list functions [--at COMMIT]    the offenders behind a figure, worst first
                            (functions, parameters, imports, cycles, pronouns, folders)
    python -m Testing.house --csv docs/results/house.csv      the table as a file, with commits, date and command
    python -m Testing.house.report_texts OUT                  the words of every report, to compare with ``diff``

What is counted, from the syntax trees of all ``.py`` files (nothing is imported):

- *Package* is ``deepradiomics`` and the folders of the Slicer modules; *tests* is ``Testing``.
- A folder's size is the number of ``.py`` files directly in it; a function's is its lines from ``def`` to its last.
- Parameters are positional and keyword-only ones, without ``self``, ``cls``, ``*args`` and ``**kwargs``.
- Imports inside functions: statements in bodies of functions that import ``deepradiomics`` or a module's own ``…Lib``.
- A cycle is a set of files of ``deepradiomics`` that reach each other by imports, those inside functions included,
  those for type checkers alone not. ``import a.b`` leads to ``a.b``, and ``from a import b`` to the file ``a.b`` or,
  where there is none, to ``a/__init__.py``. The edges are those that grimp (import-linter) finds. The top ``__init__``
  is left out: it names what others offer and loads it on first use.
- Pronoun names: bindings of a word of ``PRONOUNS`` among 1,000 bindings (names assigned in any way, and arguments
  without ``self`` and ``cls``).
"""
