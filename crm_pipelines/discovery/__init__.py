"""What is found out before anything moves: the exports profiled, the destination inspected, a map proposed."""
