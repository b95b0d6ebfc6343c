"""An independent judge of what the service says of a patient."""
