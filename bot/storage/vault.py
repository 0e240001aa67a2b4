"""Encryption at rest. The first key seals, every key opens, so keys can be changed without losing a token.

Knows no table and no setting; what it opens is a `Secret` again.
"""

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bot.domain.errors import NeedsOwner, Setup
from bot.domain.model import Secret


class VaultKeyMissing(NeedsOwner):
    """None of the keys opens this value."""


class Vault:
    """Seals secrets for the database, and opens them again."""

    def __init__(self, keys: tuple[Secret, ...]) -> None:
        self._fernet = MultiFernet([Fernet(key.reveal()) for key in keys])
        self.key_fingerprints = tuple(fingerprint(key) for key in keys)
        self._marking_keys = tuple(_derive(key, b"pledgekeeper marks") for key in keys)

    def seal(self, secret: Secret) -> str:
        """Encrypt with the first key."""
        return self._fernet.encrypt(secret.reveal().encode()).decode()

    def open(self, sealed: str) -> Secret:
        """Decrypt with whichever key fits; VaultKeyMissing where none does."""
        try:
            return Secret(self._fernet.decrypt(sealed).decode())
        except InvalidToken:
            raise _key_missing() from None

    def reseal(self, sealed: str) -> str:
        """Encrypt anew with the first key; VaultKeyMissing where no key opens it."""
        try:
            return self._fernet.rotate(sealed).decode()
        except InvalidToken:
            raise _key_missing() from None

    def marks(self, text: Secret) -> tuple[Secret, ...]:
        """Return what only who has a key can make of a text, 256 bits each: by the first key, then by each older one.

        The same after a restart. Whoever looks for a mark that was made before compares all: keys may have changed.
        """
        made = (hmac.digest(key, text.reveal().encode(), "sha256") for key in self._marking_keys)
        return tuple(Secret(base64.urlsafe_b64encode(mark).decode().rstrip("=")) for mark in made)


def new_key() -> Secret:
    """Make a key for ENCRYPTION_KEYS."""
    return Secret(Fernet.generate_key().decode())


def is_key(text: Secret) -> bool:
    """Tell whether a text can be a key at all."""
    try:
        Fernet(text.reveal())
    except ValueError:
        return False
    return True


def fingerprint(secret: Secret) -> str:
    """Return what tells two random secrets apart and gives neither away. Not for anything a person chose."""
    return hmac.digest(b"pledgekeeper fingerprint", secret.reveal().encode(), "sha256").hex()


def digest(secret: Secret) -> str:
    """Return what is stored in place of a state, a cookie or a one-time token (256 random bits each)."""
    return hashlib.sha256(secret.reveal().encode()).hexdigest()


def _derive(key: Secret, purpose: bytes) -> bytes:
    """Return a key for another purpose than sealing (RFC 5869): what one is used for tells nothing of the other."""
    whole = base64.urlsafe_b64decode(key.reveal())
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(whole)


def _key_missing() -> VaultKeyMissing:
    return VaultKeyMissing(Setup.KEY_MISSING)
