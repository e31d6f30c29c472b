"""The verbs: what the command line and the web do, as functions. They call what lies below."""
