"""Running a scenario as often as needed, without sockets or waiting: `simulate`."""
