"""`custom` conditions: an expression over a message, and what it may cost."""

from impl.routing.conditions.bounds import MAX_COST as MAX_COST
from impl.routing.conditions.language import Condition as Condition
from impl.routing.conditions.language import ConditionError as ConditionError
from impl.routing.conditions.language import Facts as Facts
from impl.routing.conditions.language import compile_condition as compile_condition
