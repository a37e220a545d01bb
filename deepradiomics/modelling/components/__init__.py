"""Non-negative matrix factorisation of blocks of features into components."""
