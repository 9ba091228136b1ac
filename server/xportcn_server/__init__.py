"""The process around the tools: settings, transports, command line, and the embedded sandbox."""
