"""Attacks on what is published, each done by hand as somebody would who wants to know more than is told.

What belongs here: what an attacker does, the worked tables on which it would work, and how each defence is switched off.
What does not: expectations (`test_attacks`), and the attacker who writes down all that is known (`attacker`).
"""
