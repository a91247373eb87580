"""The schema's revisions; ``harness.database.engine`` applies them by itself."""
