"""What is said where a model should speak and cannot, in the user's language."""

from typing import Literal

Language = Literal["en", "ru"]

MODEL_UNAVAILABLE: dict[Language, str] = {
    "en": "Your message has arrived, but I cannot answer right now. Please try again later.",
    "ru": "Сообщение получено, но ответить сейчас не получается. Попробуйте, пожалуйста, позже.",
}


def language_of(locale: str | None) -> Language:
    """Of a BCP 47 tag, by its first part: `ru-RU` is Russian, `run` (Rundi) is not."""
    primary = (locale or "").partition("-")[0].lower()
    return "ru" if primary in ("ru", "rus") else "en"
