"""Where a broker comes from: embedded, a wheel, a process, a container, the user's own."""
