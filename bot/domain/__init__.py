"""What is true and what follows from it. Pure by folder: no clock, no log, no await, no I/O, no sentence for a person.

Imports the standard library, msgspec and this folder, and nothing else.
"""
