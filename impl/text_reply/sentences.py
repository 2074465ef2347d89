"""What is said where there is no model to ask, in the user's language."""

from impl.llm.sentences import Language

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
TEXT_ONLY: dict[Language, str] = {
    "en": "Your message has arrived, but so far I can answer only text. Please write it down.",
    "ru": "Сообщение получено, но пока я отвечаю только на текст. Напишите, пожалуйста, словами.",
}
