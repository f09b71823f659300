"""What AWS's own services give: credentials, signatures, secrets. Imported only where needed."""
