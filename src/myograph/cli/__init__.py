"""The command line: verbs in, results on stdout, progress and logs on stderr."""
