"""The revisions, one file each; a revision that was released is never edited."""
