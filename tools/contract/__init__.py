"""The OCPP half of `make generate`: from the official JSON schemas and the tables in `contracts/` to typed models."""
