"""What the user is told where there is no result, in their language."""

ENGLISH = {
    "help": "Write something to calculate: 2 km in m, (3 + 4) * 2, 20 °C in °F, 1.5 GB in MiB.",
    "too_long": "That is too long: write at most {} characters.",
    "not_read": "I cannot read “{}” here.",
    "unfinished": "Something is missing at the end.",
    "no_unit": "I do not know the unit “{}”.",
    "other_measure": "These units measure different things: {}.",
    "unit_missing": "One number has a unit and the other has none.",
    "temperatures": "Temperatures cannot be added: convert them one by one.",
    "no_product": "Units cannot be multiplied, nor a number divided by one: {}.",
    "power_of_units": "Powers of units are beyond me.",
    "whole_power": "The power must be a whole number.",
    "by_zero": "Nothing can be divided by zero.",
    "too_many_digits": "A number may have at most {} digits.",
    "too_large_power": "Powers are at most {}.",
    "too_large": "The result is too large.",
    "too_deep": "There are too many brackets or signs inside of one another.",
}
RUSSIAN = {
    "help": "Напишите, что посчитать: 2 км в м, (3 + 4) * 2, 20 °C в °F, 1,5 ГБ в МиБ.",
    "too_long": "Слишком длинно: не больше {} знаков.",
    "not_read": "Не могу прочитать «{}» в этом месте.",
    "unfinished": "В конце чего-то не хватает.",
    "no_unit": "Я не знаю единицу «{}».",
    "other_measure": "Эти единицы измеряют разное: {}.",
    "unit_missing": "У одного числа есть единица, у другого нет.",
    "temperatures": "Температуры нельзя складывать: переведите их по одной.",
    "no_product": "Единицы нельзя перемножать, а число делить на них: {}.",
    "power_of_units": "Степени единиц мне не по силам.",
    "whole_power": "Степень должна быть целым числом.",
    "by_zero": "Делить на ноль нельзя.",
    "too_many_digits": "В числе может быть не больше {} цифр.",
    "too_large_power": "Степень не больше {}.",
    "too_large": "Результат слишком велик.",
    "too_deep": "Слишком много скобок или знаков друг в друге.",
}


def is_russian(locale: str | None) -> bool:
    return (locale or "").partition("-")[0].lower() in {"ru", "rus"}


def sentence(key: str, about: str, locale: str | None) -> str:
    return (RUSSIAN if is_russian(locale) else ENGLISH)[key].format(about)
