"""Long work beside the application: the child process, its progress, packages that it needs."""
