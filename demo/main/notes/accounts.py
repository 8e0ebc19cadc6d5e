"""Who may write notes."""

from dataclasses import dataclass
from hashlib import md5


@dataclass
class Account:
    name: str
    password_hash: str

    def check_password(self, password: str) -> bool:
        return self.password_hash == md5(password.encode("utf-8")).hexdigest()
