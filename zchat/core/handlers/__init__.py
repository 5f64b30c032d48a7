"""What each request comes to. Handlers judge nothing that the table or the checks judge."""
