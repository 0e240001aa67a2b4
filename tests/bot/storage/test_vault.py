import pytest

from bot.domain.errors import Setup
from bot.domain.model import Secret
from bot.linking.secrets import is_ours
from bot.storage.vault import Vault, VaultKeyMissing, digest, fingerprint, is_key, new_key

OLD, NEW = new_key(), new_key()


def test_what_was_sealed_can_be_opened_again() -> None:
    vault = Vault((OLD,))
    sealed = vault.seal(Secret("tökén"))
    assert "tökén" not in sealed
    assert vault.open(sealed) == Secret("tökén")


def test_sealing_twice_gives_two_texts() -> None:
    vault = Vault((OLD,))
    assert vault.seal(Secret("same")) != vault.seal(Secret("same"))


def test_every_key_opens_and_the_first_seals() -> None:
    both = Vault((NEW, OLD))
    assert both.open(Vault((OLD,)).seal(Secret("old"))) == Secret("old")
    assert Vault((NEW,)).open(both.seal(Secret("new"))) == Secret("new")


def test_a_resealed_value_needs_the_old_key_no_more() -> None:
    resealed = Vault((NEW, OLD)).reseal(Vault((OLD,)).seal(Secret("token")))
    assert Vault((NEW,)).open(resealed) == Secret("token")


@pytest.mark.parametrize("verb", ["open", "reseal"])
def test_a_missing_key_is_the_owner_s_to_mend(verb: str) -> None:
    sealed = Vault((OLD,)).seal(Secret("token"))
    with pytest.raises(VaultKeyMissing, match=Setup.KEY_MISSING):
        getattr(Vault((NEW,)), verb)(sealed)


def test_marks_need_a_key_and_outlive_a_restart_and_a_change_of_keys() -> None:
    (mark,) = Vault((OLD,)).marks(Secret("answer"))
    assert Vault((OLD,)).marks(Secret("answer")) == (mark,)
    assert Vault((NEW, OLD)).marks(Secret("answer"))[1] == mark
    assert mark not in Vault((NEW,)).marks(Secret("answer")) + Vault((OLD,)).marks(Secret("another"))
    assert is_ours(mark)


def test_only_fernet_keys_are_keys() -> None:
    assert is_key(OLD)
    assert not is_key(Secret("short"))
    assert not is_key(Secret("ü" * 44))


def test_fingerprints_and_digests_tell_secrets_apart_and_give_nothing_away() -> None:
    secret, other = Secret("one"), Secret("two")
    assert fingerprint(secret) == fingerprint(Secret("one")) != fingerprint(other)
    assert digest(secret) == digest(Secret("one")) != digest(other)
    assert fingerprint(secret) != digest(secret)
    assert "one" not in fingerprint(secret) + digest(secret)
