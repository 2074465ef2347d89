"""The reference plugin, a service of its own: answers by a language model what nobody else does.

It knows the core by its HTTP API alone, as any plugin does.
"""
