"""The channels to hosts: pyinfra connector, Exchange and Windows channels, host jobs; and the
strict fake.
"""
