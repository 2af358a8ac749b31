"""Doses as people write them: "2 x 200mg glycinate" to an interval in mg a day, or a reason to refuse it.

What belongs here: the words of doses (units, numbers, how often, which substance) in English, German and Spanish, and the
named rules by which they are read. What does not: which compounds there are (the instrument declares them), how a refusal is
stored (`answers`), and bands of doses (`levels`).

How it is done. A text is folded and cut into words; the longest known phrase at each place becomes a token with a kind; the
`REWRITES` turn rows of tokens into larger ones (a number and a unit into an amount); what is left falls into clauses, and one
of the few readings at the end says what the clauses mean together. Every word must be known: an unknown word may be another
substance, or say how often, so a text that holds one is refused. A refused dose is a gap that a steward sees;
a misread dose is a wrong number that nobody sees.

What the interval means. A label may give the elemental weight (what counts) or the weight of the whole compound, and people
copy it without saying which. The interval holds every dose that agrees with what was written, and no assumption beyond it:
- `label_elemental`, the text says so: low = high = written;
- `compound`, the text says that it is the compound's weight: written times the compound's lowest and highest percentage;
- `unknown`, everything else: from written times the lowest percentage up to written. To name a compound is not to say
  that it was weighed, since "magnesium citrate 400 mg" stands on labels of both sorts. Where no compound is named, any that
  was declared may be meant, so the interval is wide. That is what a bare "400 mg" tells. A statistic that holds at both ends
  holds whatever the label meant; a likely value put in its place would be an assumption that no answer supports. Who knows
  the compound from another question gives only that one, and the interval shrinks honestly. The percentages are those of the
  formula weights (source: the domain notes; "400 mg magnesium oxide" is 241 mg), as the instrument declares them.
"""

import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum, auto
from functools import lru_cache
from itertools import groupby

from survey_pipeline.instrument import Compound
from survey_pipeline.names import Rule

MOST_CHARACTERS = 300
"""A longer text is a story: it is not read at all."""
SMALLEST_DOSE = 5.0
LARGEST_DOSE = 5000.0
"""Written mg a day. No product has less than 5 mg, so less is a slip of the unit; 0 is no dose; more than 5 g of any compound
is no dose by mouth. Both ends are still read."""
MOST_TIMES_A_DAY = 12.0
SMALLEST_BARE_NUMBER = 20.0
"""A number without a unit is mg from here on. Below, "2" may be tablets and "1.5" may be grams."""
WIDEST_RANGE = 10.0
""""200-400" is a range; "2-400" is something else."""
ROUNDING = 0.1
"""Labels round: a stated share of elemental weight may differ by a tenth from the declared percentages."""


class Basis(StrEnum):
    """Which weight the written amount is."""

    LABEL_ELEMENTAL = "label_elemental"
    COMPOUND = "compound"
    UNKNOWN = "unknown"


class DoseRule(StrEnum):
    """How a dose was read. Where several rules had a part, the first of this list is named."""

    ELEMENTAL_BESIDE_COMPOUND = "elemental_beside_compound"
    SUM_OF_PARTS = "sum_of_parts"
    TOTAL_OR_EACH = "total_or_each"
    """Nothing says whether the amount is that of one or of all: the interval holds both."""
    STATED_TOTAL = "stated_total"
    RANGE = "range"
    AVERAGE_OVER_DAYS = "average_over_days"
    FRACTION_OF_STRENGTH = "fraction_of_strength"
    COUNT_TIMES_STRENGTH = "count_times_strength"
    AMOUNT_TIMES_FREQUENCY = "amount_times_frequency"
    BARE_NUMBER = "bare_number"
    PLAIN_AMOUNT = "plain_amount"


@dataclass(frozen=True)
class Dose:
    """A dose that could be read: the elemental interval, and the written amount behind it, both in mg a day.

    `compound` is the code of the one compound the text names; None if it names none or several.
    """

    low_mg_per_day: float
    high_mg_per_day: float
    written_low_mg_per_day: float
    written_high_mg_per_day: float
    basis: Basis
    rule: DoseRule
    compound: str | None = None


def read_dose(text: str, compounds: Sequence[Compound] = ()) -> Dose | Rule:
    """Read one dose, given the compounds that may be meant; the reason if it cannot be read. Never raises.

    Without any compound nothing says that part of a weight does not count, and an unknown basis leaves the amount as it is.
    """
    if len(text) > MOST_CHARACTERS:
        return Rule.NO_AMOUNT
    try:
        return _read(text, tuple(compounds))
    except _Unreadable as found:
        return found.rule


class _Unreadable(Exception):
    """Carries a reason out of the depth of the grammar, and never any text."""

    def __init__(self, rule: Rule) -> None:
        super().__init__(rule.value)
        self.rule = rule


# --- Kinds of tokens ---------------------------------------------------------------------------------------------------


class Kind(StrEnum):
    """What a word, or a row of words, is in a dose."""

    NUMBER = auto()
    HUNDRED = auto()
    UNIT = auto()
    OTHER_UNIT = auto()
    """A unit that cannot be turned into mg."""
    PIECE = auto()
    """Something that is counted: tablets, spoons, doses."""
    TIMES = auto()
    REPEATED = auto()
    EACH = auto()
    PER = auto()
    EVERY = auto()
    IN = auto()
    A = auto()
    """English "a", German "à", Spanish "a": one, of, or to, as its neighbours decide."""
    OF = auto()
    DAILY = auto()
    WEEKLY = auto()
    DAYS = auto()
    HOURS = auto()
    DAY_SHARE = auto()
    """On which share of days a dose is taken."""
    MOMENT = auto()
    MEALS = auto()
    AND = auto()
    PLUS = auto()
    OR = auto()
    TO = auto()
    BETWEEN = auto()
    FROM = auto()
    OF_WHICH = auto()
    EQUALS = auto()
    COMMA = auto()
    OPEN = auto()
    DASH = auto()
    SLASH = auto()
    COMPOUND = auto()
    ELEMENTAL = auto()
    WHOLE = auto()
    """Words that say the compound was weighed."""
    TOTAL = auto()
    HEDGE = auto()
    DEPENDS = auto()
    SUBSTANCE = auto()
    """Another substance than the one asked for."""
    NOT_DAILY = auto()
    CHANGE = auto()
    VAGUE = auto()
    FILLER = auto()
    UNKNOWN = auto()
    AMOUNT = auto()
    COUNT = auto()
    TIMES_A_DAY = auto()


@dataclass(frozen=True)
class Token:
    """A kind with its value: a number or an interval, or a name (a compound's code, a moment)."""

    kind: Kind
    low: float = 1.0
    high: float = 1.0
    name: str = ""
    grouped: bool = False
    """Three digits behind a point or comma: thousands or decimals."""


Row = tuple[Token, ...]

# --- The words ---------------------------------------------------------------------------------------------------------
# Phrases are separated by commas. Case and accents do not matter ("taglich" is "täglich"), nor does a full stop behind a
# word. To teach a word, add it to the table it belongs to and a line to tests/doses.csv.

UNITS: Mapping[float, str] = {
    1.0: "mg, mgs, mgr, mgm, milligram, milligrams, milligramme, milligramm, miligramo, miligramos, miligram, miligrams",
    1000.0: "g, gr, gm, gram, grams, gramm, grammes, gramo, gramos",
    0.001: "mcg, ug, µg, mikrogramm, microgram, micrograms, microgramo, microgramos",
}
STRENGTH_SUFFIXES = "er, ers, s"
"""As in "zwei 400er": the strength of a piece in mg."""
OTHER_UNITS = """iu, ie, ui, mmol, mval, meq, millimol, oz, ounce, ounces, unze, kg, kilo, ppm, %, prozent, percent,
units, einheiten, unidades, cal, kcal"""
PIECES = """tablet, tablets, tab, tabs, tbl, tabl, tablette, tabletten, tableta, tabletas, capsule, capsules, cap,
caps, kapsel, kapseln, kps, kaps, capsula, capsulas, cápsula, cápsulas, comprimido, comprimidos, pill, pills, pille,
pillen, pastilla, pastillas, pildora, pildoras, dragee, dragees, softgel, softgels, gummy, gummies, gummi, gomita,
gomitas, caplet, caplets, lozenge, lozenges, chew, chews, brausetablette, brausetabletten, effervescent tablet,
effervescent tablets, comprimido efervescente, comprimidos efervescentes, sachet, sachets, packet, packets, stick,
sticks, beutel, tütchen, sobre, sobres, scoop, scoops, level scoop, level scoops, heaped scoop, messlöffel, löffel,
teelöffel, esslöffel, tl, spoon, spoons, spoonful, teaspoon, teaspoons, level teaspoon, level teaspoons,
heaped teaspoon, heaped teaspoons, tablespoon, tablespoons, tsp, tsps, tbsp, cuchara, cucharada, cucharadas,
cucharadita, cucharaditas, cacito, cacitos, ampulle, ampullen, ampoule, ampoules, ampolla, ampollas, stück, stk,
piece, pieces, spray, sprays, pump, pumps, squirt, squirts, sprühstoß, sprühstöße, hub, hübe, pulverización,
pulverizaciones, cup, cups, tasse, tassen, taza, tazas, glass, glasses, glas, vaso, vasos, handful, handfuls,
handvoll"""
VOLUMES = "ml, milliliter, mililitros, drop, drops, tropfen, gota, gotas"
DOSES = """dose, doses, dosen, portion, portions, portionen, einzeldosen, gaben, toma, tomas, dosis, servings,
serving"""
NUMBERS: Mapping[float, str] = {
    0.25: "quarter, viertel, cuarto",
    0.5: "half, halb, halbe, halben, halber, halbes, medio, media",
    1.0: "one, ein, eine, einen, einer, un, una, uno",
    1.5: "one and a half, anderthalb, eineinhalb, einundhalb, uno y medio, una y media",
    2.0: "two, a couple of, couple of, a couple, zwei, beide, dos, second, zweiten",
    2.5: "two and a half, zweieinhalb, dos y media, dos y medio",
    3.0: "three, drei, tres, third, dritten",
    4.0: "four, vier, cuatro",
    5.0: "five, fünf, cinco",
    6.0: "six, sechs, seis",
    7.0: "seven, sieben, siete",
    8.0: "eight, acht, ocho",
    9.0: "nine, neun, nueve",
    10.0: "ten, zehn, diez",
    12.0: "twelve, zwölf, doce",
    20.0: "twenty, zwanzig, veinte",
    25.0: "twenty five, fünfundzwanzig, veinticinco",
    30.0: "thirty, dreißig, treinta",
    40.0: "forty, vierzig, cuarenta",
    50.0: "fifty, fünfzig, cincuenta",
    60.0: "sixty, sechzig, sesenta",
    70.0: "seventy, siebzig, setenta",
    75.0: "seventy five, fünfundsiebzig, setenta y cinco",
    80.0: "eighty, achtzig, ochenta",
    90.0: "ninety, neunzig, noventa",
}
HUNDREDS: Mapping[float, str] = {
    100.0: "einhundert, cien, ciento",
    200.0: "zweihundert, doscientos",
    300.0: "dreihundert, trescientos",
    400.0: "vierhundert, cuatrocientos",
    500.0: "fünfhundert, quinientos",
    600.0: "sechshundert, seiscientos",
    700.0: "siebenhundert, setecientos",
    800.0: "achthundert, ochocientos",
    900.0: "neunhundert, novecientos",
}
HUNDRED: Mapping[float, str] = {100.0: "hundred, hundert", 1000.0: "thousand, tausend, mil"}
REPEATS: Mapping[float, str] = {
    1.0: "once, einmal, una vez",
    2.0: "twice, zweimal, dos veces",
    3.0: "thrice, dreimal, tres veces",
    4.0: "viermal, cuatro veces",
}
TIMES = "x, times, time, mal, veces, vez, fach, *"
TIMES_A_DAY: Mapping[float, str] = {
    1.0: "qd, od, qhs, o.d., q.d.",
    2.0: "bid, bd, b.i.d., b.d.",
    3.0: "tid, tds, t.i.d.",
    4.0: "qid, q.i.d.",
}
DAILY = """daily, a day, per day, each day, every day, everyday, every single day, day by day, / day, / d, / 24 h,
/ 24 hours, per 24 hours, in 24 hours, täglich, taeglich, tägl, tgl, pro tag, am tag, jeden tag, je tag, / tag,
am tage, die tägliche dosis, tagesdosis, daily dose, dosis diaria, al día, por día, cada día, todos los días,
a diario, diario, diaria, diarios, diarias, diariamente, / día, 7 days a week, 7 tage die woche"""
WEEKLY = """a week, per week, each week, every week, weekly, / week, / wk, / w, pro woche, die woche, in der woche,
wöchentlich, jede woche, / woche, por semana, a la semana, cada semana, semanal, semanales, semanalmente, / semana,
in a week, nights a week, nights per week, abende die woche, abende pro woche, noches por semana,
noches a la semana"""
DAY_SHARES: Mapping[float, str] = {
    0.5: """every other day, every second day, alternate days, on alternate days, every alternate day, each other day,
eod, jeden zweiten tag, jeden anderen tag, alle zwei tage, cada dos días, cada segundo día, un día sí y otro no,
días alternos, en días alternos, every other night, every second night, alternate nights, jeden zweiten abend,
cada dos noches""",
}
DAYS = "day, days, tag, tage, tagen, día, días"
HOURS = "h, hr, hrs, hour, hours, stunde, stunden, std, hora, horas"
MOMENTS: Mapping[str, str] = {
    "morning": """morning, mornings, in the morning, each morning, every morning, am, a m, in the am, breakfast,
at breakfast, with breakfast, after breakfast, before breakfast, on waking, morgens, morgen, am morgen, jeden morgen,
früh, frühs, frueh, in der früh, zum frühstück, beim frühstück, nach dem frühstück, vormittags, mañana, por la mañana,
en la mañana, por las mañanas, de mañana, cada mañana, desayuno, en el desayuno, con el desayuno, al desayuno,
en ayunas, nüchtern, ☀, 🌞""",
    "noon": """noon, at noon, midday, lunch, at lunch, with lunch, after lunch, lunchtime, at lunchtime, afternoon,
in the afternoon, mittags, mittag, am mittag, zu mittag, zum mittagessen, nachmittags, am nachmittag, mediodía,
al mediodía, comida, en la comida, con la comida, al comer, almuerzo, en el almuerzo, por la tarde, tarde""",
    "dinner": """dinner, at dinner, with dinner, after dinner, before dinner, w / dinner, supper, with supper,
at supper, zum abendessen, beim abendessen, nach dem abendessen, cena, en la cena, con la cena, después de cenar,
después de la cena, al cenar""",
    "evening": """evening, evenings, in the evening, each evening, every evening, of an evening, tonight, night,
nights, nightly, at night, each night, every night, a night, per night, / night, at nighttime, nighttime, pm, p m,
in the pm, bed, bedtime, at bedtime, before bed, before bedtime, before sleep, before sleeping, before going to bed,
going to bed, to bed, hs, abends, abend, am abend, jeden abend, nachts, nacht, zur nacht, in der nacht, jede nacht,
vor dem schlafen, vorm schlafen, vor dem schlafengehen, vorm schlafengehen, vor dem zubettgehen,
vor dem zu bett gehen, vor dem einschlafen, zum schlafen, noche, noches, por la noche, en la noche, de noche,
por las noches, cada noche, todas las noches, antes de dormir, antes de acostarme, antes de acostarse, al acostarme,
al acostarse, antes de irme a dormir, antes de ir a dormir, 🌙, 🌛, 🛏""",
}
MEALS = """with meals, with each meal, with every meal, at meals, with my meals, after meals, before meals,
zu den mahlzeiten, zu jeder mahlzeit, mit den mahlzeiten, con las comidas, con cada comida, en las comidas"""
COMPOUND_WORDS = "mix, mixture, blend, combo, complex, combination, mischung, mezcla, kombination, komplex"
ELEMENTAL = """elemental, elementary, elemental magnesium, elemental mg, actual magnesium, elementar, elementare,
elementares, elementarem, elementares magnesium, reines magnesium, elementales, magnesio elemental,
elemental weight"""
WHOLE = """compound, of the compound, compound weight, total compound, weight of the compound, weight of compound,
the compound, salt weight, weight of the salt, of the salt, not elemental, not the elemental, verbindung,
der verbindung, gewicht der verbindung, als verbindung, des salzes, gewicht des salzes, nicht elementar,
nicht elementares, compuesto, del compuesto, peso del compuesto, como compuesto, de la sal, peso de la sal,
no elemental"""
TOTAL = """total, in total, totals, altogether, all together, for a total of, a total of, total of, insgesamt, gesamt,
zusammen, in summe, gesamtmenge, en total, total diario, total daily, daily total, combined, divided, divided doses,
in divided doses, split, split into, split up, split over, spread over the day, spread out, throughout the day,
over the day, through the day, aufgeteilt, aufgeteilt auf, verteilt, verteilt auf, über den tag, geteilt, repartido,
repartidos, repartida, dividido, divididos, dividida, a lo largo del día, durante el día"""
EACH = "each, apiece, ea, je, jeweils, cada uno, cada una, jede, jedes, each one, @"
PER = "per, pro, por, for each, in each, in one"
EVERY = "every, each of, alle, jeden, cada, c /"
IN = "in, into, en, auf"
OF = "of, de, zu, von, del, of the"
AND = "and, und, u, y, e, &, n, sowie, and also, and then again"
PLUS = "+, plus, más, und dazu, and another, additionally, zusätzlich"
OR = "or, oder, o, or maybe, bzw"
TO = "to, bis, till, thru, through"
BETWEEN = "between, zwischen, entre, somewhere between, anywhere between"
FROM = "from, out of, aus, anywhere from"
OF_WHICH = """of which, davon, thereof, de los cuales, de los que, providing, provides, provide, containing, contains,
enthält, entspricht"""
EQUALS = "=, equals, gleich, ist gleich, igual a, makes, macht, son, ergibt"
COMMAS = ",, ;, :, ), ], with, w /, mit, con, |, that is, das sind"
HEDGES = """?, not sure, not sure if, not sure whether, unsure, unsure if, no idea if, nicht sicher, nicht sicher ob,
bin nicht sicher, weiß nicht ob, no sé si, no estoy seguro, no estoy segura, i think, i guess, i believe, maybe,
perhaps, possibly, probably, vielleicht, glaube ich, ich glaube, glaub, vermutlich, wahrscheinlich, creo, creo que,
quizás, tal vez, supongo, don't know if, dont know if"""
SUBSTANCES = """calcium, kalzium, calcio, zinc, zink, potassium, kalium, potasio, vitamin, vitamins, vitamina,
vitamine, iron, eisen, hierro, melatonin, melatonina, d, d3, k2, b6, b12, c, vitamin d, vitamin d3, vit d, vit d3,
vit c, vit b6, vitamin c, vitamin b6, vitamin b12, vitamin k2, vitamina d, vitamina b6, vitamina c, omega, omega 3,
q10, amitriptyline, amitriptylin, gabapentin, pregabalin, duloxetine, turmeric, curcumin, ashwagandha, selenium,
selen, selenio, fish oil"""
DEPENDS = """depending on the day, depending on day, depending, depending on pain, depending on the pain,
depending on how i feel, depending on symptoms, depends on the day, it depends, je nach tag, je nach,
je nach schmerzen, je nach befinden, je nach schmerz, je nach symptomen, je nach tagesform, según el día, según dolor,
según el dolor, según los síntomas, dependiendo del día, depende del día"""
"""Good with a range, which says between what; without one, nothing says how much it is on other days."""
NOT_DAILY = """as needed, when needed, if needed, as required, only when, when i need it, when i need, when necessary,
if necessary, prn, when i remember, if i remember, when i have, when it hurts, when pain, if pain, on bad days,
bad days, only on, only if, only when, sometimes, occasionally, now and then, from time to time, once in a while,
on and off, off and on, irregularly, not every day, not daily, rarely, seldom, most days, most nights, some days,
some nights, a few times, few times, several times, often, monthly, a month, per month, each month, / month,
fortnightly, weekdays, weekends, on weekdays, on weekends, at weekends, sundays, on sundays, up to, upto, max,
maximum, at most, no more than, not more than, less than, under, below, more than, over, above, at least, minimum,
min, >, <, ≥, ≤, bath, baths, bathe, soak, soaks, foot bath, footbath, lotion, cream, oil, gel, balm, salve, patch,
patches, bei bedarf, nach bedarf, wenn nötig, falls nötig, bei krämpfen, bei schmerzen, nur bei, nur wenn,
wenn ich dran denke, wenn ich daran denke, manchmal, gelegentlich, ab und zu, hin und wieder, unregelmäßig, selten,
oft, öfter, mehrmals, im monat, pro monat, monatlich, jeden monat, am wochenende, wochentags, an wochentagen,
sonntags, bis zu, maximal, höchstens, mindestens, mehr als, weniger als, über, unter, je nach bedarf, bad, bäder,
wöchentliches bad, fußbad, fußbäder, vollbad, badesalz, öl, creme, salbe, según necesidad, según necesite,
si es necesario, si lo necesito, cuando lo necesito, cuando necesito, cuando me duele, cuando me acuerdo,
cuando hay dolor, a veces, de vez en cuando, ocasionalmente, a demanda, al mes, por mes, mensual, fines de semana,
los fines de semana, hasta, máximo, como máximo, como mucho, al menos, mínimo, más de, menos de, baño, baños, aceite,
crema, loción, 🛁"""
CHANGES = """started, started with, started at, start, starting, began, begun, beginning with, increased, increasing,
increase, raised, reduced, reducing, decreased, lowered, titrated, titrating, was, were, before, used to,
used to take, previously, before that, formerly, initially, at first, first, then, later, afterwards, until, stopped,
alternating, alternate, alternately, alternated, depends, varying, angefangen, angefangen mit, gestartet, begonnen,
beginnend, gesteigert, erhöht, reduziert, früher, vorher, anfangs, zuerst, erst, am anfang, dann, später, danach,
abwechselnd, im wechsel, wechselnd, nicht mehr, abgesetzt, war, empecé, empecé con, empezado, comencé, aumenté,
aumentado, subí, bajé, reducido, antes, antes tomaba, primero, luego, después, al principio, alternando, alterno,
ya no, dejé"""
VAGUE = """a lot, lots, a little, little, some, a few, few, several, many, much, plenty, high, high dose, low,
low dose, normal dose, enough, varies, don't know, dont know, no idea, unknown, none, nothing, viel, viele, wenig,
etwas, einige, ein paar, hoch, niedrig, keine ahnung, weiß nicht, unbekannt, keine, kein, nichts, mucho, mucha,
muchos, poco, poca, pocos, algo, algunas, algunos, nada, ninguno, ninguna, no sé, depende, not, nicht, kein, never,
nie, nunca"""
FILLERS = """the, i, im, i'm, i am, i have, my, me, it, it's, is, ist, es, are, take, taking, taken, takes, taking it,
use, using, have, currently, at the moment, at present, now, right now, usually, normally, generally, typically, just,
only, about, around, approx, approximately, approximate, roughly, circa, ca, ~, about the, nearly, almost, ish, or so,
on, at, by mouth, orally, oral, supplement, supplements, powder, form, version, brand, type, label, per label,
label says, says label, according to label, on the label, on label, from the label, according to the label, with food,
with a meal, with water, with a glass of water, with some food, with milk, in water, in a glass of water, after food,
on an empty stomach, always, regularly, consistently, again, also, slow release, extended release, time release,
chelated, chelate, buffered, pure, liquid, strength, sized, nd, rd, th, this, that, which, well, hi, thanks,
thank you, please, yes, ok, ich, nehme, nehm, nimm, wir, derzeit, zurzeit, zur zeit, momentan, aktuell, jetzt,
im moment, normalerweise, meist, meistens, immer, regelmäßig, nur, etwa, ungefähr, ungef, rund, zirka, so um die,
um die, so, der, die, das, den, dem, des, mein, meine, vom, vor, nach, pulver, form, laut etikett, lt etikett,
laut packung, lt packung, mit wasser, mit essen, mit etwas essen, zum essen, mit einem glas wasser, in wasser,
in wasser aufgelöst, aufgelöst, nach dem essen, retard, rein, reines, reine, hochdosiert, flüssig, danke, bitte, ja,
wieder, auch, tomo, tomando, tomar, estoy tomando, actualmente, ahora, normalmente, siempre, solo, sólo, unos, unas,
aproximadamente, aprox, alrededor de, más o menos, cerca de, el, la, los, las, lo, al, mi, que, polvo, en polvo,
con agua, con comida, con un vaso de agua, según la etiqueta, en forma de, tipo, puro, líquido, gracias, sí, también,
magnesium, magnesio, magnésico, mag, magn, mg++, supplementation, präparat, nahrungsergänzung, suplemento, l -"""
BRANDS = """now, now foods, doctor's best, doctors best, doctor s best, dr best, natural calm, calm, nature made,
nature's bounty, solgar, thorne, life extension, kal, pure encapsulations, jigsaw, slow mag, slowmag, mag ox, magtein,
magonate, solaray, swanson, kirkland, biolectra, verla, magnesium verla, diasporal, magnesium diasporal, magnetrans,
tetesept, doppelherz, abtei, altapharma, mivolis, das gesunde plus, dm, rossmann, sunday natural, naturtreu, vitabay,
ana maria lajusticia, aquilea, magnesioboi, mercadona, bisolvit"""

SYMBOLS: Mapping[str, str] = {
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
    **dict.fromkeys("\u00d7\u2715\u2716\u00b7", " x "),
    **dict.fromkeys("\u2018\u2019\u0060\u00b4\u2032", "'"),
    **dict.fromkeys("\u00b5\u03bc\u039c", "u"),
    **dict.fromkeys("\u223c\u2248\uff5e", "~"),
    "\N{FRACTION SLASH}": "/",
    "½": " 1/2 ",
    "¼": " 1/4 ",
    "¾": " 3/4 ",
    "⅓": " 1/3 ",
    "💊": " pill ",
    "•": " , ",
}
"""Signs that mean the same. Emoji and marks without a meaning here are dropped."""

# --- From text to tokens -----------------------------------------------------------------------------------------------

WORD = re.compile(
    r"(?<![\d/.,])[1-9]/[2-8](?![\d/])"  # a fraction
    r"|\d+(?:[.,']\d+)*|(?<![a-z\d])[.,]\d+"  # a number
    r"|[a-z]+(?:'[a-z]+)?|[^\sa-z\d]"  # a word or a sign
)
GLUED_TIMES = re.compile(r"(?<=\d)x|(?<=\dmg)x")
THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:([.,])\d{3})(?:\1\d{3})*")
DECIMAL = re.compile(r"\d*[.,]?\d+")
PREFIXES = ("magnesium", "magnesio")
"""German writes substance and salt as one word."""
SHORTEST_MENDED_WORD = 5
MEANINGLESS = frozenset({"So", "Sk", "Cf", "Cn", "Me", "Co"})
"""Unicode categories of emoji, joiners and the like."""
SILENT = frozenset(".!¡¿'\"_")
MOST_REMEMBERED_LEXICONS = 64

Phrase = tuple[str, ...]


@dataclass(frozen=True)
class Lexicon:
    """Every known phrase with its token, and what is needed to find it."""

    phrases: Mapping[Phrase, Token]
    words: frozenset[str]
    by_initial: Mapping[str, tuple[str, ...]]
    longest: int


def _folded(text: str) -> str:
    """Lower case without accents, each sign in one of its writings."""
    plain = "".join(SYMBOLS.get(sign, sign) for sign in text)
    bare = unicodedata.normalize("NFD", plain.casefold())
    without = "".join(SYMBOLS.get(sign, sign) for sign in bare if unicodedata.category(sign) != "Mn")
    return GLUED_TIMES.sub(" x ", without)


def _words(text: str) -> list[str]:
    """The words, numbers and signs of a text; full stops and emoji without a meaning are left out."""
    found: list[str] = WORD.findall(_folded(text))
    return [word for word in found if word not in SILENT]


def _split(phrases: str) -> Iterator[Phrase]:
    return (tuple(_words(phrase)) for phrase in re.split(r",\s+", phrases.strip()))


def _named(kind: Kind, table: Mapping[str, str]) -> Iterator[tuple[Phrase, Token]]:
    return ((phrase, Token(kind, name=name)) for name, phrases in table.items() for phrase in _split(phrases))


def _valued(kind: Kind, table: Mapping[float, str], name: str = "") -> Iterator[tuple[Phrase, Token]]:
    return ((phrase, Token(kind, value, value, name)) for value, text in table.items() for phrase in _split(text))


PLAIN_WORDS: Mapping[Kind, str] = {
    Kind.FILLER: f"{FILLERS}, {BRANDS}",
    Kind.OTHER_UNIT: OTHER_UNITS,
    Kind.PIECE: PIECES,
    Kind.TIMES: TIMES,
    Kind.DAILY: DAILY,
    Kind.WEEKLY: WEEKLY,
    Kind.DAYS: DAYS,
    Kind.HOURS: HOURS,
    Kind.MEALS: MEALS,
    Kind.ELEMENTAL: ELEMENTAL,
    Kind.WHOLE: WHOLE,
    Kind.TOTAL: TOTAL,
    Kind.EACH: EACH,
    Kind.PER: PER,
    Kind.EVERY: EVERY,
    Kind.IN: IN,
    Kind.A: "a, an",
    Kind.OF: OF,
    Kind.AND: AND,
    Kind.PLUS: PLUS,
    Kind.OR: OR,
    Kind.TO: TO,
    Kind.BETWEEN: BETWEEN,
    Kind.FROM: FROM,
    Kind.OF_WHICH: OF_WHICH,
    Kind.EQUALS: EQUALS,
    Kind.COMMA: COMMAS,
    Kind.OPEN: "(, [",
    Kind.DASH: "-",
    Kind.SLASH: "/",
    Kind.HEDGE: HEDGES,
    Kind.DEPENDS: DEPENDS,
    Kind.SUBSTANCE: SUBSTANCES,
    Kind.NOT_DAILY: NOT_DAILY,
    Kind.CHANGE: CHANGES,
    Kind.VAGUE: VAGUE,
}


def vocabulary() -> Iterator[tuple[Phrase, Token]]:
    """Every phrase of the tables with the token it stands for; no phrase stands in two of them, and a test holds that."""
    for kind, phrases in PLAIN_WORDS.items():
        yield from ((phrase, Token(kind)) for phrase in _split(phrases))
    yield from _named(Kind.FILLER, {"mix": COMPOUND_WORDS})
    yield from _named(Kind.PIECE, {"dose": DOSES, "volume": VOLUMES})
    yield from _named(Kind.MOMENT, MOMENTS)
    yield from _valued(Kind.UNIT, UNITS)
    yield from _valued(Kind.UNIT, {1.0: STRENGTH_SUFFIXES}, "strength")
    yield from _valued(Kind.NUMBER, {n: text for n, text in NUMBERS.items() if n == int(n)}, "word")
    yield from _valued(Kind.NUMBER, {n: text for n, text in NUMBERS.items() if n != int(n)}, "fraction")
    yield from _valued(Kind.NUMBER, HUNDREDS, "hundreds")
    yield from _german_hundreds()
    yield from _valued(Kind.HUNDRED, HUNDRED)
    yield from _valued(Kind.REPEATED, REPEATS)
    yield from _valued(Kind.TIMES_A_DAY, TIMES_A_DAY)
    yield from _valued(Kind.DAY_SHARE, DAY_SHARES)


def _german_hundreds() -> Iterator[tuple[Phrase, Token]]:
    """German writes "zweihundertfünfzig" in one word."""
    for hundreds, texts in HUNDREDS.items():
        for rest, more in NUMBERS.items():
            if rest >= SMALLEST_BARE_NUMBER:
                value = hundreds + rest
                written = texts.split(", ")[0] + more.split(", ")[1]
                yield tuple(_words(written)), Token(Kind.NUMBER, value, value, "word")


@lru_cache(maxsize=MOST_REMEMBERED_LEXICONS)
def _lexicon(compounds: tuple[Compound, ...]) -> Lexicon:
    phrases = dict(vocabulary())
    for compound in compounds:
        for text in (*compound.texts, compound.code):
            phrases[_without_prefix(tuple(_words(text)))] = Token(Kind.COMPOUND, name=compound.code)
    words = frozenset(word for phrase in phrases for word in phrase)
    unmended = frozenset(phrase[0] for phrase, token in phrases.items() if token.kind is Kind.NUMBER)
    mendable = sorted(word for word in words - unmended if len(word) >= SHORTEST_MENDED_WORD)
    initials = {initial: tuple(found) for initial, found in groupby(mendable, key=lambda word: word[0])}
    return Lexicon(phrases, words, initials, max(map(len, phrases)))


def _without_prefix(phrase: Phrase) -> Phrase:
    """What is declared as "magnesium citrate" is known as "citrate": the first word is known anyway."""
    return phrase[1:] if len(phrase) > 1 and phrase[0] in PREFIXES else phrase


def _known_words(word: str, lexicon: Lexicon) -> list[str]:
    """The word itself, its two halves, or the one known word that it is a slip of."""
    if word in lexicon.words or not word.isalpha():
        return [word]
    for prefix in PREFIXES:
        if (rest := word.removeprefix(prefix)) != word and rest in lexicon.words:
            return [prefix, rest]
    return [_mended(word, lexicon)]


def _mended(word: str, lexicon: Lexicon) -> str:
    """The known word with the same initial that is one slip away, if there is just one. Numbers are never guessed."""
    if len(word) < SHORTEST_MENDED_WORD:
        return word
    near = [known for known in lexicon.by_initial.get(word[0], ()) if _one_slip(word, known)]
    return near[0] if len(near) == 1 else word


def _one_slip(word: str, known: str) -> bool:
    """One letter too many, too few, another one, or two neighbours swapped."""
    if abs(len(word) - len(known)) > 1:
        return False
    start = next((i for i, (a, b) in enumerate(zip(word, known, strict=False)) if a != b), min(len(word), len(known)))
    left, right = word[start:], known[start:]
    swapped = left[:2] == right[:2][::-1] and left[2:] == right[2:]
    return swapped or left[1:] == right[1:] or left[1:] == right or left == right[1:]


def _tokens(text: str, lexicon: Lexicon) -> Row:
    words = [known for word in _words(text) for known in _known_words(word, lexicon)]
    return tuple(token for token in _phrases(words, lexicon) if token.kind is not Kind.FILLER)


def _phrases(words: Sequence[str], lexicon: Lexicon) -> Iterator[Token]:
    """The longest known phrase at each place."""
    place = 0
    while place < len(words):
        length, token = _longest(words, place, lexicon)
        place += length
        yield token


def _longest(words: Sequence[str], place: int, lexicon: Lexicon) -> tuple[int, Token]:
    for length in range(min(lexicon.longest, len(words) - place), 0, -1):
        if token := lexicon.phrases.get(tuple(words[place : place + length])):
            return length, token
    return 1, _number_or_unknown(words[place])


def _number_or_unknown(word: str) -> Token:
    if any(sign in "0123456789" for sign in word):
        return _number(word)
    noise = len(word) == 1 and unicodedata.category(word) in MEANINGLESS
    return Token(Kind.FILLER if noise else Kind.UNKNOWN)


def _number(word: str) -> Token:
    """The value of digits; three of them behind a sign are taken for thousands here, and judged where the unit is known."""
    if "/" in word:
        above, below = word.split("/")
        return _of(float(above) / float(below), "fraction")
    plain = word.replace("'", "")
    if THOUSANDS.fullmatch(plain):
        return replace(_of(float(re.sub("[.,]", "", plain))), grouped=True)
    if {".", ","} <= set(plain):
        plain = _both_signs(plain)
    if not DECIMAL.fullmatch(plain):
        raise _Unreadable(Rule.AMBIGUOUS_NUMBER)
    return _of(float(plain.replace(",", ".")))


def _both_signs(number: str) -> str:
    """With both signs in a number, the last one stands before the decimals."""
    point = max(number.rfind("."), number.rfind(","))
    return re.sub("[.,]", "", number[:point]) + "." + number[point + 1 :]


def _of(value: float, name: str = "") -> Token:
    return Token(Kind.NUMBER, value, value, name)


# --- Rewriting: rows of tokens to larger tokens ------------------------------------------------------------------------

Make = Callable[[Row], Row | None]
"""New tokens for a row that fits, or None to leave it."""


@dataclass(frozen=True)
class Rewrite:
    """A named rule: where tokens of these kinds stand in a row, `make` says what they are together."""

    name: str
    kinds: tuple[frozenset[Kind], ...]
    make: Make

    def apply(self, row: Row) -> Row:
        """From left to right; a made token may take part again. Rows shrink or words move right, so this ends."""
        present = {token.kind for token in row}
        if any(kinds.isdisjoint(present) for kinds in self.kinds):
            return row
        place, width = 0, len(self.kinds)
        while place + width <= len(row):
            made = self.make(row[place : place + width]) if self._fits(row, place) else None
            if made is None:
                place += 1
            else:
                row = row[:place] + made + row[place + width :]
                place = max(0, place - 1) if len(made) < width else place + 1
        return row

    def _fits(self, row: Row, place: int) -> bool:
        return all(row[place + i].kind in kinds for i, kinds in enumerate(self.kinds))


def _rule(name: str, *kinds: Kind | frozenset[Kind]) -> Callable[[Make], Rewrite]:
    wanted = tuple(kind if isinstance(kind, frozenset) else frozenset({kind}) for kind in kinds)
    return lambda make: Rewrite(name, wanted, make)


N, U, X, A = Kind.NUMBER, Kind.UNIT, Kind.TIMES, Kind.A
RANGE_SIGN = frozenset({Kind.TO, Kind.DASH, Kind.OR, Kind.A})
LINK = frozenset({Kind.OF, Kind.A, Kind.EACH})
SUBSTANCE_WORDS = frozenset({Kind.COMPOUND, Kind.ELEMENTAL})


def _scaled(token: Token, factor: Token, kind: Kind) -> Token:
    return Token(kind, token.low * factor.low, token.high * factor.high, token.name)


def _is_small(token: Token) -> bool:
    return token.high < SMALLEST_BARE_NUMBER


def _is_strength(token: Token) -> bool:
    return token.low >= SMALLEST_BARE_NUMBER


def _bare(token: Token) -> Token:
    """A number without a unit, as mg."""
    if token.grouped and token.high > LARGEST_DOSE:
        raise _Unreadable(Rule.AMBIGUOUS_NUMBER)
    return Token(Kind.AMOUNT, token.low, token.high, "bare")


def _count_of(count: Token, amount: Token) -> Row:
    return Token(Kind.COUNT, count.low, count.high, count.name), Token(Kind.EACH), amount


def _with_strength(count: Token, strength: Token) -> Row | None:
    if count.name == "volume":
        return None
    if strength.kind is Kind.AMOUNT:
        return _count_of(count, strength)
    return _count_of(count, _bare(strength)) if _is_strength(strength) else None


# Numbers ----------


def _hundreds(row: Row) -> Row | None:
    """As in "four hundred"."""
    return (_scaled(replace(row[0], name="hundreds"), row[1], N),) if _is_small(row[0]) else None


def _and_tens(row: Row) -> Row | None:
    """As in "two hundred and fifty"."""
    first, last = row[0], row[-1]
    fits = first.name == "hundreds" and last.name == "word" and last.high < 100
    return (_of(first.low + last.low, "word"),) if fits else None


def _mixed_number(row: Row) -> Row | None:
    """How "1 1/2" is one and a half, but "eine halbe" is a half."""
    whole, part = row
    if part.name != "fraction" or not _is_small(whole):
        return None
    return (_of(whole.low + part.low, "fraction") if whole.name == "" else part,)


def _scheme(row: Row) -> Row | None:
    """As in "1-0-1": how many in the morning, at noon and in the evening; "100-0-200" says how much."""
    parts = [token.low for token in row[::2]]
    if any(token.low != token.high for token in row[::2]):
        return None
    if all(part < SMALLEST_BARE_NUMBER for part in parts):
        return (Token(Kind.TIMES_A_DAY, sum(parts), sum(parts)),)
    if 0 in parts and all(part >= SMALLEST_BARE_NUMBER for part in parts if part):
        return (_of(sum(parts), "parts"),)
    raise _Unreadable(Rule.SEVERAL_AMOUNTS)


def _range(row: Row) -> Row | None:
    """As in "200-400", "between 200 and 400", "1 or 2"."""
    low, link, high = row[-3:]
    if link.kind is Kind.AND and len(row) < 4:
        return None
    if link.kind is Kind.OR and low.low > high.high:
        low, high = high, low
    if low.low >= high.high or low.high > high.low or high.high > WIDEST_RANGE * low.low:
        return None
    return (replace(high, low=low.low, high=high.high),)


def _amount(row: Row) -> Row:
    """A number and its unit: mg."""
    number, unit = row[0], row[-1]
    # With three digits behind a sign, 1.200 g and 1200 mg are the same; more would be a dose that nobody takes.
    factor = 1.0 if number.grouped and unit.low > 1 else unit.low
    if number.grouped and number.high * factor > LARGEST_DOSE:
        raise _Unreadable(Rule.AMBIGUOUS_NUMBER)
    name = number.name if number.name == "parts" else unit.name
    return (Token(Kind.AMOUNT, number.low * factor, number.high * factor, name),)


def _unknown_unit(_: Row) -> Row:
    raise _Unreadable(Rule.UNKNOWN_UNIT)


def _open_ended(_: Row) -> Row:
    """As in "400+ mg"."""
    raise _Unreadable(Rule.NO_DAILY_AMOUNT)


# How often ----------


def _times_a_day(row: Row) -> Row | None:
    """As in "2 a day", "2x daily", "twice a day"; 400 a day is an amount."""
    return (replace(row[0], kind=Kind.TIMES_A_DAY),) if _is_small(row[0]) else None


def _times_a_week(row: Row) -> Row | None:
    """As in "3 times a week"."""
    times = row[0]
    return (Token(Kind.DAY_SHARE, times.low / 7, times.high / 7),) if _is_small(times) else None


def _days_a_week(row: Row) -> Row | None:
    """As in "5 days a week"."""
    if row[0].high > 7:
        raise _Unreadable(Rule.NO_DAILY_AMOUNT)
    return _times_a_week(row)


def _every_few_days(row: Row) -> Row:
    """As in "every 2 days"."""
    return (Token(Kind.DAY_SHARE, 1 / _positive(row[1].high), 1 / _positive(row[1].low)),)


def _every_few_hours(row: Row) -> Row:
    """As in "every 12 hours"."""
    return (Token(Kind.TIMES_A_DAY, 24 / _positive(row[1].high), 24 / _positive(row[1].low)),)


def _positive(value: float) -> float:
    if value < 1:
        raise _Unreadable(Rule.NO_DAILY_AMOUNT)
    return value


# How many of what ----------


def _product(row: Row) -> Row:
    """As in "2 x 200" and "200 x 2", or "2 x 1" of something."""
    first, last = row[0], row[2]
    if _is_small(first) and _is_small(last):
        return (_scaled(first, last, N),)
    count, strength = (first, last) if _is_small(first) else (last, first)
    if not (_is_small(count) and _is_strength(strength)):
        raise _Unreadable(Rule.SEVERAL_AMOUNTS)
    return _count_of(count, _bare(strength))


def _count_at(row: Row) -> Row | None:
    """As in "2 à 200"."""
    return (row[0], Token(X), row[2]) if _is_small(row[0]) and _is_strength(row[2]) else None


def _count_before(row: Row) -> Row | None:
    """As in "2 x 200 mg", "2 tablets of 200 mg", "two 200 mg capsules", "half of a 500"."""
    return _with_strength(row[0], next(token for token in row[1:] if token.kind in (N, Kind.AMOUNT)))


def _number_before(row: Row) -> Row | None:
    """In "two 200 mg" the number is a count; "1 200 mg" may be twelve hundred."""
    number, amount = row[0], row[-1]
    if number.name or amount.name == "strength":
        return _with_strength(number, amount) if _is_small(number) else None
    if len(row) == 2 and amount.kind is Kind.AMOUNT:
        raise _Unreadable(Rule.AMBIGUOUS_NUMBER)
    return None


def _half_of(row: Row) -> Row | None:
    """As in "1/2 of 400"."""
    return _with_strength(row[0], row[-1]) if row[0].name == "fraction" else None


def _count_after(row: Row) -> Row:
    """As in "200 mg x 2"."""
    return _count_of(row[-1], row[0])


def _counted(row: Row) -> Row:
    """As in "2 tablets"."""
    return (Token(Kind.COUNT, row[0].low, row[0].high, row[-1].name or row[0].name),)


def _one_piece(row: Row) -> Row:
    """As in "a tablet"."""
    return (Token(Kind.COUNT, 1.0, 1.0, row[-1].name),)


def _drop_first(row: Row) -> Row:
    return row[1:]


def _moved_right(row: Row) -> Row:
    """The substance stands between the words of a count: "2 x 200 mg citrate tablets"."""
    return (*row[1:], row[0])


REWRITES: tuple[Rewrite, ...] = (
    _rule("hundreds", N, Kind.HUNDRED)(_hundreds),
    _rule("a_hundred", A, Kind.HUNDRED)(lambda row: (_of(row[1].low, "hundreds"),)),
    _rule("hundred", Kind.HUNDRED)(lambda row: (_of(row[0].low, "hundreds"),)),
    _rule("and_tens", N, N)(_and_tens),
    _rule("and_tens", N, Kind.AND, N)(_and_tens),
    _rule("mixed_number", N, N)(_mixed_number),
    _rule("half_a", N, A)(lambda row: row[:1] if row[0].name == "fraction" else None),
    _rule("half_of_a", N, Kind.OF, A)(lambda row: row[:2] if row[0].name == "fraction" else None),
    _rule("scheme", N, Kind.DASH, N, Kind.DASH, N, Kind.DASH, N)(_scheme),
    _rule("scheme", N, Kind.DASH, N, Kind.DASH, N)(_scheme),
    _rule("between", Kind.BETWEEN, N, RANGE_SIGN | {Kind.AND}, N)(_range),
    _rule("range", N, RANGE_SIGN, N)(_range),
    _rule("strength_of_piece", Kind.PIECE, A, N)(lambda row: (row[0], Token(Kind.OF), row[2])),
    _rule("count_at", N, A, N)(_count_at),
    _rule("a_number", A, N)(_drop_first),
    _rule("unit", N, U)(_amount),
    _rule("unit", N, Kind.DASH, U)(_amount),
    _rule("unknown_unit", N, Kind.OTHER_UNIT)(_unknown_unit),
    _rule("unknown_unit", N, Kind.UNKNOWN)(_unknown_unit),
    _rule("between", Kind.BETWEEN, Kind.AMOUNT, RANGE_SIGN | {Kind.AND}, Kind.AMOUNT)(_range),
    _rule("range", Kind.AMOUNT, RANGE_SIGN, Kind.AMOUNT)(_range),
    _rule("from_range", Kind.FROM, frozenset({N, Kind.AMOUNT}))(
        lambda row: row[1:] if row[1].low < row[1].high else None
    ),
    _rule("moved_right", SUBSTANCE_WORDS, Kind.PIECE)(_moved_right),
    _rule("moved_right", SUBSTANCE_WORDS, X, N)(_moved_right),
    _rule("moved_right", Kind.PIECE, SUBSTANCE_WORDS, LINK, frozenset({N, Kind.AMOUNT}))(
        lambda row: (row[0], row[2], row[3], row[1])
    ),
    _rule("every_few_days", Kind.EVERY, N, Kind.DAYS)(_every_few_days),
    _rule("every_few_hours", Kind.EVERY, N, Kind.HOURS)(_every_few_hours),
    _rule("days_a_week", N, Kind.DAYS, Kind.WEEKLY)(_days_a_week),
    _rule("times_a_day", N, X, Kind.DAILY)(_times_a_day),
    _rule("times_a_week", N, X, Kind.WEEKLY)(_times_a_week),
    _rule("times_a_day", frozenset({N, Kind.REPEATED}), Kind.DAILY)(_times_a_day),
    _rule("times_a_week", frozenset({N, Kind.REPEATED}), Kind.WEEKLY)(_times_a_week),
    _rule("a_week", Kind.WEEKLY)(lambda _: (Token(Kind.DAY_SHARE, 1 / 7, 1 / 7),)),
    _rule("product", N, X, N)(_product),
    _rule("count_before", N, X, Kind.AMOUNT)(_count_before),
    _rule("count_after", Kind.AMOUNT, X, N)(_count_after),
    _rule("count_after", Kind.AMOUNT, Kind.PIECE, X, N)(_count_after),
    _rule("times_pieces", N, X, Kind.PIECE)(_counted),
    _rule("repeated", N, X)(lambda row: (replace(row[0], kind=Kind.REPEATED),)),
    _rule("count_before", N, frozenset({N, Kind.AMOUNT}), Kind.PIECE)(_count_before),
    _rule("half_of", N, Kind.OF, frozenset({N, Kind.AMOUNT}))(_half_of),
    _rule("number_before", N, Kind.OF, Kind.AMOUNT)(_number_before),
    _rule("number_before", N, frozenset({N, Kind.AMOUNT}))(_number_before),
    _rule("counted", N, Kind.PIECE)(_counted),
    _rule("counted", N, Kind.OF, Kind.PIECE)(_counted),
    _rule("a_piece", A, Kind.PIECE)(_one_piece),
    _rule("each_piece", frozenset({Kind.PER, Kind.SLASH, Kind.EVERY, Kind.EACH}), Kind.PIECE)(
        lambda _: (Token(Kind.EACH),)
    ),
    _rule("of_each", Kind.OF, Kind.EACH)(_drop_first),
    _rule("count_of", Kind.COUNT, LINK, frozenset({N, Kind.AMOUNT}))(_count_before),
    _rule("in_doses_of", Kind.IN, Kind.COUNT, Kind.EACH)(lambda row: (Token(Kind.OPEN), *row[1:])),
    _rule("in_doses", Kind.IN, Kind.COUNT)(lambda _: (Token(Kind.TOTAL),)),
    _rule("or_more", Kind.PLUS, U)(_open_ended),
    _rule("part_of_whole", Kind.AMOUNT, Kind.OF, Kind.AMOUNT)(lambda row: (row[0], Token(Kind.FROM), row[2])),
    _rule("part_of_whole", N, Kind.OF, Kind.AMOUNT)(
        lambda row: (_bare(row[0]), Token(Kind.FROM), row[2]) if _is_strength(row[0]) else None
    ),
    _rule("bare_number", N)(lambda row: (_bare(row[0]),) if _is_strength(row[0]) or row[0].high == 0 else None),
    _rule("range", Kind.AMOUNT, RANGE_SIGN, Kind.AMOUNT)(_range),
)
"""In this order, each once over the whole row."""


# --- Clauses -----------------------------------------------------------------------------------------------------------

CONNECTORS = frozenset(
    {
        Kind.AND,
        Kind.PLUS,
        Kind.OR,
        Kind.COMMA,
        Kind.OPEN,
        Kind.EQUALS,
        Kind.OF_WHICH,
        Kind.FROM,
        Kind.SLASH,
        Kind.DASH,
        Kind.BETWEEN,
    }
)
ADDING = frozenset({Kind.AND, Kind.PLUS, Kind.SLASH, Kind.DASH})
SETTING_APART = frozenset({Kind.COMMA, Kind.OPEN, Kind.EQUALS, Kind.OF_WHICH, Kind.FROM})
WITHOUT_MEANING = frozenset({Kind.OF, Kind.A, Kind.IN, Kind.EVERY, Kind.PIECE, Kind.HEDGE})
OFTEN = frozenset({Kind.TIMES_A_DAY, Kind.REPEATED, Kind.DAY_SHARE})


@dataclass(frozen=True)
class Clause:
    """What stands between two connectors, and the connector before it."""

    connector: Kind
    tokens: Row

    def all(self, *kinds: Kind) -> Row:
        return tuple(token for token in self.tokens if token.kind in kinds)

    def has(self, *kinds: Kind) -> bool:
        return bool(self.all(*kinds))

    @property
    def names(self) -> frozenset[str]:
        """The codes of the compounds it names."""
        return frozenset(token.name for token in self.all(Kind.COMPOUND))

    @property
    def moments(self) -> frozenset[str]:
        return frozenset(token.name for token in self.all(Kind.MOMENT))

    @property
    def is_dose(self) -> bool:
        return self.has(Kind.AMOUNT)


Clauses = tuple[Clause, ...]


def _clauses(row: Row) -> Clauses:
    found, connector, tokens = [], Kind.COMMA, list[Token]()
    for token in row:
        if token.kind not in CONNECTORS:
            tokens.append(token)
            continue
        found.append(Clause(connector, tuple(tokens)))
        # Of several connectors in a row, a comma says least.
        connector = connector if not tokens and token.kind is Kind.COMMA else token.kind
        tokens = []
    found.append(Clause(connector, tuple(tokens)))
    return tuple(part for clause in found if clause.tokens for part in _unfolded(clause))


def _unfolded(clause: Clause) -> Iterator[Clause]:
    """As in "200 morgens 200 abends" without a comma: amounts and moments take turns."""
    shape = [token.kind for token in clause.all(Kind.AMOUNT, Kind.MOMENT)]
    turns = len(shape) // 2
    if turns < 2 or shape != shape[:2] * turns or shape[0] is shape[1]:
        yield clause
        return
    connector, part = clause.connector, list[Token]()
    for token in _cut_at(clause.tokens, shape):
        if token is not None:
            part.append(token)
            continue
        yield Clause(connector, tuple(part))
        connector, part = Kind.COMMA, []
    yield Clause(connector, tuple(part))


def _cut_at(tokens: Row, shape: Sequence[Kind]) -> Iterator[Token | None]:
    """The tokens, with None where a new clause begins: behind each moment, or before each where moments come first."""
    moments_first, seen = shape[0] is Kind.MOMENT, 0
    turns = shape.count(Kind.MOMENT)
    for token in tokens:
        is_moment = token.kind is Kind.MOMENT
        seen += is_moment
        if is_moment and moments_first and seen > 1:
            yield None
        yield token
        if is_moment and not moments_first and seen < turns:
            yield None


# --- What clauses mean -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Part:
    """One reading: the written interval in mg a day, the share of it that counts, and how it was read."""

    low: float
    high: float
    rule: DoseRule
    least: float = 1.0
    most: float = 1.0
    basis: Basis = Basis.UNKNOWN


@dataclass(frozen=True)
class Context:
    """What holds for the whole text: the declared compounds, those it names, and whether its writer was sure."""

    compounds: tuple[Compound, ...]
    names: frozenset[str]
    hedged: bool

    def percentages(self, names: frozenset[str]) -> tuple[float, ...]:
        meant = [one for one in self.compounds if not names or one.code in names]
        return tuple(percent for one in meant for percent in one.elemental_percent) or (100.0,)

    def is_plausible(self, percent: float) -> bool:
        """Whether so much of the compound's weight can be elemental, give or take a label's rounding."""
        percentages = self.percentages(self.names)
        return min(percentages) * (1 - ROUNDING) <= percent <= max(percentages) * (1 + ROUNDING)

    def share(self, clauses: Iterable[Clause], common: Iterable[Clause]) -> tuple[float, float, Basis]:
        """The least and the most that counts of a written amount."""
        near = (*clauses, *common)
        basis = Basis.UNKNOWN if self.hedged else _basis(near)
        if basis is Basis.LABEL_ELEMENTAL:
            return 1.0, 1.0, basis
        percentages = self.percentages(frozenset().union(*(clause.names for clause in near)) or self.names)
        most = max(percentages) / 100 if basis is Basis.COMPOUND else 1.0
        return min(percentages) / 100, most, basis


def _basis(clauses: Iterable[Clause]) -> Basis:
    said = {token.kind for clause in clauses for token in clause.all(Kind.ELEMENTAL, Kind.WHOLE)}
    if len(said) != 1:
        return Basis.UNKNOWN
    return Basis.LABEL_ELEMENTAL if Kind.ELEMENTAL in said else Basis.COMPOUND


def _read(text: str, compounds: tuple[Compound, ...]) -> Dose:
    tokens = _tokens(text, _lexicon(compounds))
    if any(token.kind is Kind.NOT_DAILY for token in tokens):
        raise _Unreadable(Rule.NO_DAILY_AMOUNT)
    row = tokens
    for rewrite in REWRITES:
        row = rewrite.apply(row)
    _refuse_unclear(row)
    hedged = any(token.kind is Kind.HEDGE for token in row)
    meaning = tuple(token for token in row if token.kind not in WITHOUT_MEANING)
    clauses = _clauses(tuple(token for token in meaning if token.kind is not U))
    names = frozenset().union(*(clause.names for clause in clauses))
    context = Context(compounds, names, hedged)
    parts = _meaning(clauses, context)
    if any(token.kind is Kind.DEPENDS for token in row) and all(part.low == part.high for part in parts):
        raise _Unreadable(Rule.NO_DAILY_AMOUNT)
    return _dose(parts, names)


STRAY: Mapping[Kind, Rule] = {
    Kind.UNKNOWN: Rule.NO_DAILY_AMOUNT,
    Kind.OTHER_UNIT: Rule.NO_DAILY_AMOUNT,
    Kind.VAGUE: Rule.NO_DAILY_AMOUNT,
    Kind.TO: Rule.NO_DAILY_AMOUNT,
    Kind.PER: Rule.NO_DAILY_AMOUNT,
    Kind.DAYS: Rule.NO_DAILY_AMOUNT,
    Kind.HOURS: Rule.NO_DAILY_AMOUNT,
    Kind.CHANGE: Rule.NO_DAILY_AMOUNT,
    Kind.TIMES: Rule.SEVERAL_AMOUNTS,
    Kind.NUMBER: Rule.SEVERAL_AMOUNTS,
}
"""What a row may not hold beside an amount."""


def _refuse_unclear(row: Row) -> None:
    kinds = [token.kind for token in row]
    amounts = sum(1 + (token.low < token.high) for token in row if token.kind is Kind.AMOUNT)
    if not amounts:
        raise _Unreadable(_without_amount(kinds))
    if amounts > 1 and (Kind.CHANGE in kinds or Kind.SUBSTANCE in kinds):
        raise _Unreadable(Rule.SEVERAL_AMOUNTS)
    for kind, rule in STRAY.items():
        if kind in kinds:
            raise _Unreadable(rule)
    if kinds[-1] is Kind.PLUS:
        raise _Unreadable(Rule.NO_DAILY_AMOUNT)
    if any(token.kind is U and token.low != 1 for token in row):
        raise _Unreadable(Rule.UNKNOWN_UNIT)


def _without_amount(kinds: Sequence[Kind]) -> Rule:
    if Kind.PIECE in kinds or Kind.COUNT in kinds:
        return Rule.NO_STRENGTH
    return Rule.UNKNOWN_UNIT if N in kinds else Rule.NO_AMOUNT


def _meaning(clauses: Clauses, context: Context) -> tuple[Part, ...]:
    """One amount, or several that belong together; several that do not are refused."""
    doses = tuple(clause for clause in clauses if clause.is_dose)
    if any(len(clause.all(Kind.AMOUNT)) > 1 or clause.has(Kind.SUBSTANCE) for clause in doses):
        raise _Unreadable(Rule.SEVERAL_AMOUNTS)
    _refuse_loose(clauses)
    if len(doses) == 1:
        return (_shared(_single(clauses), clauses, (), context),)
    for reading in (_elemental_beside, _sum, _restated):
        if parts := reading(clauses, doses, context):
            return parts
    raise _Unreadable(Rule.SEVERAL_AMOUNTS)


def _refuse_loose(clauses: Clauses) -> None:
    """What is joined to an amount without one of its own: "400 mg and 2 tablets", "400+ daily", "daily or weekly"."""
    for clause in clauses:
        if clause.is_dose:
            continue
        if clause.has(Kind.COUNT) and clause.connector in ADDING | {Kind.OR} and clause is not clauses[0]:
            raise _Unreadable(Rule.SEVERAL_AMOUNTS)
        if clause.has(Kind.SUBSTANCE) and clause.connector in ADDING - {Kind.PLUS}:
            raise _Unreadable(Rule.SEVERAL_AMOUNTS)
        if clause.names and clause.connector is Kind.PLUS:
            raise _Unreadable(Rule.SEVERAL_AMOUNTS)
        if clause.has(Kind.DAILY, *OFTEN) and clause.connector in (Kind.OR, Kind.PLUS):
            raise _Unreadable(Rule.NO_DAILY_AMOUNT)


def _shared(part: Part, clauses: Iterable[Clause], common: Iterable[Clause], context: Context) -> Part:
    least, most, basis = context.share(clauses, common)
    return replace(part, least=least, most=most, basis=basis)


def _only(tokens: Row, rule: Rule) -> Token | None:
    """The one value that was said, be it twice; None if none was."""
    values = {(token.low, token.high): token for token in tokens}
    if len(values) > 1:
        raise _Unreadable(rule)
    return next(iter(values.values()), None)


@dataclass(frozen=True)
class Said:
    """Everything said about one amount."""

    amount: Token
    count: Token
    times: Token | None
    share: Token
    n_moments: int
    is_each: bool
    is_total: bool
    is_equal: bool
    """"2 tablets = 400 mg": the amount is that of all, each time."""
    is_daily: bool

    @property
    def often(self) -> tuple[float, float]:
        """How many times a day; moments count where no number was said."""
        if self.times is None:
            return float(max(1, self.n_moments)), float(max(1, self.n_moments))
        low, high = self.times.low, self.times.high
        n = self.n_moments
        contradicts = (n == 1 and high > 1) or (n > 1 and not low <= n <= high)
        if contradicts or high > MOST_TIMES_A_DAY:
            raise _Unreadable(Rule.NO_DAILY_AMOUNT)
        return low, high


ONCE = Token(Kind.COUNT)


def _said(clauses: Clauses) -> Said:
    tokens = [token for clause in clauses for token in clause.tokens]
    kinds = {token.kind for token in tokens}

    def only(rule: Rule, *wanted: Kind) -> Token | None:
        return _only(tuple(token for token in tokens if token.kind in wanted), rule)

    times = only(Rule.NO_DAILY_AMOUNT, Kind.TIMES_A_DAY, Kind.REPEATED)
    if Kind.MEALS in kinds and times is None:
        raise _Unreadable(Rule.NO_DAILY_AMOUNT)
    return Said(
        amount=next(token for token in tokens if token.kind is Kind.AMOUNT),
        count=only(Rule.SEVERAL_AMOUNTS, Kind.COUNT) or ONCE,
        times=times,
        share=only(Rule.NO_DAILY_AMOUNT, Kind.DAY_SHARE) or ONCE,
        n_moments=_n_moments(clauses),
        is_each=Kind.EACH in kinds,
        is_total=Kind.TOTAL in kinds,
        is_equal=any(clause.connector is Kind.EQUALS for clause in clauses),
        is_daily=Kind.DAILY in kinds,
    )


AT_NIGHT = frozenset({"dinner", "evening"})
"""Side by side they are one time of day; joined by "and" they are two."""


def _n_moments(clauses: Clauses) -> int:
    """How many times of day: "morning and night" are two; "at night, before bed" and "morning or night" are one."""
    seen: frozenset[str] = frozenset()
    n = 0
    for clause in clauses:
        moments = clause.moments - {"dinner"} if clause.moments >= AT_NIGHT else clause.moments
        new = moments if clause.connector in ADDING else moments - seen
        if clause.connector not in ADDING and seen | moments >= AT_NIGHT and seen & AT_NIGHT and new & AT_NIGHT:
            raise _Unreadable(Rule.NO_DAILY_AMOUNT)  # "at dinner, before bed": twice, or when exactly?
        n += len(new) if clause.connector is not Kind.OR or not n else 0
        seen |= clause.moments
    return n


def _single(clauses: Clauses) -> Part:
    """One amount: times how many of it, times how often."""
    said = _said(clauses)
    for reading in (_total, _equal, _beside, _when_or_each):
        if part := reading(said):
            return part
    factor = (said.count.low * said.often[0], said.count.high * said.often[1])
    return _part(said, factor, _rule_of(said, factor))


def _total(said: Said) -> Part | None:
    """As in "400 mg in all", "400 mg divided": how many and how often do not multiply it."""
    if not said.is_total:
        return None
    if said.is_each:
        return (
            _part(said, (said.count.low, said.count.high), DoseRule.STATED_TOTAL) if said.times is None else _unsure()
        )
    if said.count.high > 1 and said.times is not None:
        return _part(said, (1.0, said.often[1]), DoseRule.TOTAL_OR_EACH)
    return _part(said, (1.0, 1.0), DoseRule.STATED_TOTAL)


def _unsure() -> Part:
    raise _Unreadable(Rule.NO_DAILY_AMOUNT)


def _equal(said: Said) -> Part | None:
    """As in "2 capsules = 400 mg"."""
    return _part(said, said.often, DoseRule.STATED_TOTAL) if said.is_equal and not said.is_each else None


def _beside(said: Said) -> Part | None:
    """As in "2 capsules 400 mg": no word links the count with the amount."""
    if said.is_each or said.count.low == said.count.high == 1:
        return None
    if said.count.name == "volume":
        raise _Unreadable(Rule.NO_STRENGTH)
    low, high = said.often
    return _part(said, (min(1.0, said.count.low) * low, max(1.0, said.count.high) * high), DoseRule.TOTAL_OR_EACH)


def _when_or_each(said: Said) -> Part | None:
    """Each time, or in all? "400 mg a day, twice daily" and "2 x 200 mg, morning and evening" leave it open."""
    low, high = said.often
    by_moments = said.times is None and said.count.high > 1
    if high <= 1 or not (by_moments or (said.is_daily and not said.is_each)):
        return None
    return _part(said, (said.count.low * min(1.0, low), said.count.high * high), DoseRule.TOTAL_OR_EACH)


def _part(said: Said, factor: tuple[float, float], rule: DoseRule) -> Part:
    low = said.amount.low * factor[0] * said.share.low
    return Part(low, said.amount.high * factor[1] * said.share.high, rule)


def _rule_of(said: Said, factor: tuple[float, float]) -> DoseRule:
    """The first rule of `DoseRule` that had a part in it."""
    is_range = said.amount.low < said.amount.high or factor[0] < factor[1] or said.share.low < said.share.high
    had_a_part = {
        DoseRule.RANGE: is_range,
        DoseRule.SUM_OF_PARTS: said.amount.name == "parts",
        DoseRule.AVERAGE_OVER_DAYS: said.share.high != 1,
        DoseRule.FRACTION_OF_STRENGTH: said.count.low != int(said.count.low),
        DoseRule.COUNT_TIMES_STRENGTH: said.count.high != 1,
        DoseRule.AMOUNT_TIMES_FREQUENCY: factor[1] != 1,
        DoseRule.BARE_NUMBER: said.amount.name == "bare",
    }
    return next((rule for rule in DoseRule if had_a_part.get(rule)), DoseRule.PLAIN_AMOUNT)


# Several amounts ----------


def _elemental_beside(clauses: Clauses, doses: Clauses, context: Context) -> tuple[Part, ...] | None:
    """As in "500 mg citrate (80 mg elemental)": the elemental amount is what counts."""
    if len(doses) != 2 or context.hedged or doses[1].connector not in SETTING_APART:
        return None
    inner = _inner(doses)
    if inner is None:
        return None
    outer = doses[1] if inner is doses[0] else doses[0]
    percent = 100 * inner.all(Kind.AMOUNT)[0].high / max(outer.all(Kind.AMOUNT)[0].low, SMALLEST_DOSE)
    if percent >= 100 or not (inner.has(Kind.ELEMENTAL) or context.is_plausible(percent)):
        return None
    n = _how_many(_said(clauses), inner, percent, context)
    part = _part(replace(_said((inner,)), share=_said(clauses).share), (n, n), DoseRule.ELEMENTAL_BESIDE_COMPOUND)
    return (replace(part, basis=Basis.LABEL_ELEMENTAL),)


def _inner(doses: Clauses) -> Clause | None:
    """Which of two clauses is the elemental part of the other: "80 elemental", "of which 80", "80 from 500"."""
    elemental = [clause for clause in doses if clause.has(Kind.ELEMENTAL)]
    if len(elemental) == 1:
        return elemental[0]
    inner = {Kind.OF_WHICH: doses[1], Kind.FROM: doses[0]}.get(doses[1].connector)
    # "of which 200 at night" and "of which 200 citrate" speak of something else.
    return None if inner is None or inner.names or inner.has(Kind.MOMENT, *OFTEN) else inner


def _how_many(said: Said, inner: Clause, percent: float, context: Context) -> float:
    """Whether the elemental amount is that of one or of all: the one that fits the compound's percentages."""
    n = said.count.high * said.often[1]
    if (n == 1 and said.count.low == said.often[0] == 1) or inner.has(Kind.TOTAL):
        return 1.0
    spoken_within = inner.has(Kind.COUNT, Kind.TIMES_A_DAY, Kind.REPEATED, Kind.MOMENT)
    if spoken_within or said.is_equal or said.count.low < said.count.high or said.often[0] < said.often[1]:
        raise _Unreadable(Rule.SEVERAL_AMOUNTS)
    of_one, of_all = context.is_plausible(percent), context.is_plausible(percent / n)
    if of_one == of_all:
        raise _Unreadable(Rule.SEVERAL_AMOUNTS)
    return n if of_one else 1.0


def _sum(clauses: Clauses, doses: Clauses, context: Context) -> tuple[Part, ...] | None:
    """As in "200 in the morning and 200 at night", "200 mg citrate and 200 mg malate", "200 + 200"."""
    common = tuple(clause for clause in clauses if not clause.is_dose)
    if not _add_up(doses) or any(clause.has(Kind.COUNT, Kind.MOMENT, Kind.TOTAL, *OFTEN) for clause in common):
        return None
    if not _scope_is_clear(doses):
        return None
    return tuple(
        replace(
            _shared(_single((replace(clause, connector=Kind.COMMA),)), (clause,), common, context),
            rule=DoseRule.SUM_OF_PARTS,
        )
        for clause in doses
    )


def _add_up(doses: Clauses) -> bool:
    """Whether the parts are joined by a plus, or each has a moment or a compound of its own."""
    if any(clause.connector not in ADDING | {Kind.COMMA} for clause in doses[1:]):
        return False
    if any(clause.connector in (Kind.SLASH, Kind.DASH) for clause in doses[1:]):
        return False
    by_plus = all(clause.connector is Kind.PLUS for clause in doses[1:])
    return (
        by_plus or _all_differ([clause.moments for clause in doses]) or _all_differ([clause.names for clause in doses])
    )


def _all_differ(marks: Sequence[frozenset[str]]) -> bool:
    return all(len(mark) == 1 for mark in marks) and len(frozenset().union(*marks)) == len(marks)


def _scope_is_clear(doses: Clauses) -> bool:
    """As in "200 citrate and 100 malate twice a day": both, or the last one only?"""
    often = [any(token.high != 1 for token in clause.all(*OFTEN)) for clause in doses]
    timed = [clause.has(Kind.MOMENT, *OFTEN) for clause in doses]
    return not any(often) or all(timed)


def _restated(clauses: Clauses, doses: Clauses, context: Context) -> tuple[Part, ...] | None:
    """As in "400 mg (2 x 200 mg)": the total, and how it comes about."""
    for whole, rest in ((doses[0], doses[1:]), (doses[-1], doses[:-1])):
        joint = doses[1] if whole is doses[0] else whole
        if joint.connector in SETTING_APART and _agree(whole, rest, clauses, context):
            said = replace(_said((whole,)), share=_said_share(clauses))
            part = _part(said, (1.0, 1.0), DoseRule.STATED_TOTAL)
            return (_shared(part, clauses, (), context),)
    return None


def _said_share(clauses: Clauses) -> Token:
    shares = tuple(token for clause in clauses for token in clause.all(Kind.DAY_SHARE))
    return _only(shares, Rule.NO_DAILY_AMOUNT) or ONCE


def _agree(whole: Clause, rest: Clauses, clauses: Clauses, context: Context) -> bool:
    """Whether the parts, which must be more than the same number again, add up to the whole."""
    total = whole.all(Kind.AMOUNT)[0]
    multiplied = any(token.high != 1 for token in whole.all(Kind.COUNT, Kind.TIMES_A_DAY, Kind.REPEATED))
    if multiplied or (whole.moments and _n_moments(clauses) > 1 and len(rest) == 1):
        return False
    own = rest if len(rest) > 1 else tuple(clause for clause in clauses if clause is not whole)
    parts = _sum(own, rest, context) if len(rest) > 1 else (_single(own),)
    if parts is None or (len(parts) == 1 and parts[0].rule in (DoseRule.PLAIN_AMOUNT, DoseRule.BARE_NUMBER)):
        return False
    return math.isclose(sum(p.low for p in parts), total.low) and math.isclose(sum(p.high for p in parts), total.high)


# --- The dose ----------------------------------------------------------------------------------------------------------


def _dose(parts: tuple[Part, ...], names: frozenset[str]) -> Dose:
    written_low, written_high = sum(part.low for part in parts), sum(part.high for part in parts)
    if not (SMALLEST_DOSE <= written_low <= written_high <= LARGEST_DOSE):
        raise _Unreadable(Rule.OUT_OF_RANGE)
    bases = {part.basis for part in parts}
    return Dose(
        low_mg_per_day=sum(part.low * part.least for part in parts),
        high_mg_per_day=sum(part.high * part.most for part in parts),
        written_low_mg_per_day=written_low,
        written_high_mg_per_day=written_high,
        basis=bases.pop() if len(bases) == 1 else Basis.UNKNOWN,
        rule=parts[0].rule,
        compound=min(names) if len(names) == 1 else None,
    )
