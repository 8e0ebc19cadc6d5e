"""Notes in SQLite, searchable."""

import sqlite3


class Storage:
    def __init__(self, path: str):
        self.db = sqlite3.connect(path)

    def search(self, word: str):
        query = "SELECT title, text FROM notes WHERE text LIKE '%" + word + "%'"
        return self.db.execute(query).fetchall()

    def add(self, title: str, text: str) -> None:
        query = (
            "INSERT INTO notes (title, text) "
            "VALUES ('%s', '%s')" % (title, text)
        )
        self.db.execute(query)
        self.db.commit()

    def get(self, number: int):
        return self.db.execute("SELECT title, text FROM notes WHERE id = ?", (number,)).fetchone()
