#!/usr/bin/env python3
"""Registers keys one after the other with APTPL, or looks which key is registered.

usage: register.py ADDRESS:PORT TARGET KEY...
       register.py ADDRESS:PORT TARGET --expect KEY
"""
import sys

from kills import GOOD, NAMES, REGISTER_AND_IGNORE, Initiator

address, target, *words = sys.argv[1:]
host, port = address.rsplit(':', 1)
initiator = Initiator(NAMES[0], (host, int(port)), target)
initiator.ask(bytes(6), 0)
if words[0] == '--expect':
    found = dict(initiator.reported()[0])
    print({name: hex(key) for name, key in found.items()})
    sys.exit(found != {NAMES[0]: int(words[1], 16)})
for key in words:
    status, _ = initiator.answer(initiator.send(REGISTER_AND_IGNORE, 0, 0, int(key, 16), 1))
    if status != GOOD:
        sys.exit('%s is answered by %s' % (key, status))
