"""Broken inputs by the thousand: files, tables and models mutated at random, and what the product makes of them.

Each mutant is read as a command would read it. It must be refused in words, or give what the intact file gives, or what
an independent reader makes of the mutant, or carry a note; never an exception of a library, a crash or a hang.
"""
