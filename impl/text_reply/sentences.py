"""What is said where no model speaks, in the user's language."""

from typing import Literal

Language = Literal["en", "ru"]

NO_MODEL: dict[Language, str] = {
    "en": (
        "Your message has arrived, but no language model is configured, so I cannot answer it yet. "
        "Set BOTCORE_LLM_BASE_URL and BOTCORE_LLM_MODEL, then restart."
    ),
    "ru": (
        "Сообщение получено, но языковая модель не настроена, поэтому ответить на него пока "
        "нельзя. Задайте BOTCORE_LLM_BASE_URL и BOTCORE_LLM_MODEL, затем перезапустите сервис."
    ),
}
MODEL_UNAVAILABLE: dict[Language, str] = {
    "en": "Your message has arrived, but I cannot answer right now. Please try again later.",
    "ru": "Сообщение получено, но ответить сейчас не получается. Попробуйте, пожалуйста, позже.",
}
TEXT_ONLY: dict[Language, str] = {
    "en": "Your message has arrived, but so far I can answer only text. Please write it down.",
    "ru": "Сообщение получено, но пока я отвечаю только на текст. Напишите, пожалуйста, словами.",
}


def language_of(locale: str | None) -> Language:
    """Of a BCP 47 tag, by its first part: `ru-RU` is Russian, `run` (Rundi) is not."""
    primary = (locale or "").partition("-")[0].lower()
    return "ru" if primary in ("ru", "rus") else "en"
