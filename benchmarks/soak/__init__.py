"""The soak: thousands of monitors for a long time, while workers are killed and the scheduler is paused."""
