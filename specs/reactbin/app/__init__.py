"""The API of reactbin. Everything is kept in memory: nothing outlives the process."""
