import re

import pytest
from pydantic import TypeAdapter

from generated.models import Text
from impl.llm.sentences import MODEL_UNAVAILABLE, Language, language_of
from impl.text_reply.sentences import NO_MODEL, TEXT_ONLY

CYRILLIC = "[\u0430-\u044f]"
ALL = [NO_MODEL, MODEL_UNAVAILABLE, TEXT_ONLY]


@pytest.mark.parametrize("locale", ["ru", "RU", "ru-RU", "ru-Latn-RU", "rus"])
def test_russian(locale: str | None) -> None:
    assert language_of(locale) == "ru"


@pytest.mark.parametrize("locale", ["en", "en-GB", "de", "run", "rue", "uk-RU", None])
def test_everything_else_is_english(locale: str | None) -> None:
    assert language_of(locale) == "en"


@pytest.mark.parametrize("sentences", ALL)
def test_each_sentence_is_in_its_language_and_fits_the_contract(
    sentences: dict[Language, str],
) -> None:
    assert not re.search(CYRILLIC, sentences["en"], re.IGNORECASE)
    assert len(re.findall(CYRILLIC, sentences["ru"], re.IGNORECASE)) > 40
    for sentence in sentences.values():
        TypeAdapter(Text).validate_python(sentence)


@pytest.mark.parametrize("language", ["en", "ru"])
def test_without_a_model_it_says_how_to_set_one(language: Language) -> None:
    assert "BOTCORE_LLM_BASE_URL" in NO_MODEL[language]
    assert "BOTCORE_LLM_MODEL" in NO_MODEL[language]
