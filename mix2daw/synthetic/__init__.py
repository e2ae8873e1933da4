"""Mixes whose console is known, made of given stems: to measure how much of one is found again."""
