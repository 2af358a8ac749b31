"""Simulated communities: do the claims and the intervals keep their promises?"""
