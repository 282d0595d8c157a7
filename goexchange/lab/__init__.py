"""Servers on loopback that let real remoting clients talk to a simulated site."""
