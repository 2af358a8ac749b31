"""Our statistics beside R's, figure by figure.

What belongs here: reading the reference figures, ours for the same rows, and the table of how far they differ. What does not:
other expectations of the formulas (`test_statistics`).
"""
