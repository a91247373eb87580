"""What hosts and guests were asked in a case, with answers and times: for the story and replay."""
