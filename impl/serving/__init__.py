"""How several processes serve one API behind one port: docs/decisions/0024-processes.md."""
