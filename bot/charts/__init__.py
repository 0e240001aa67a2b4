"""Pictures of figures, drawn by a process of its own: matplotlib would make the bot half as large again."""
