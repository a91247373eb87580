"""Verdicts → what people and their CI read; pure, except for the store that writes."""
