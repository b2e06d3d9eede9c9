"""Stand-ins of venues on loopback, each as much of its protocol as the real libraries need."""
