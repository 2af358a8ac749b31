"""Communities whose releases are attacked by somebody who knows nothing but what is published."""
