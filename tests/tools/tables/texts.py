"""Data with faithful texts, written by hand: what `traceable` must accept, and what is spoilt to see what passes."""

MUSEUMS = """Museums of the coast, 2023
Museum,Region,Opened,Visitors (thousand),Share of budget (%)
North Hall,coast,1921,12.5,40
South Wing,coast,1950,n/a,35
West Tower,inland,1970,8,15
Old Mill,inland,1888,20.1,10"""
RAIN = """Rain in Avon

| Month | Rain (mm) | Wet days |
|---|---|---|
| 2023-01 | 82 | 14 |
| 2023-02 | 64 | 11 |
| 2023-03 | 91 | 15 |
| 2023-04 | 40 | 8 |
| 2023-05 | 37 | 7 |
| 2023-06 | 55 | 9 |"""
PUMP = """Name: Brook 3 hand pump
Flow: 28 litres per minute
Depth: 45 m
Weight: 96 kg
Handles: 2
Warranty: 5 years
Price: $1,250"""
LOG = """2024-03-04 08:00:12 INFO api: request served ms=120 rows=4
2024-03-04 08:00:40 ERROR db: query failed ms=3200 rows=0
2024-03-04 08:01:12 WARN db: slow query ms=1800 rows=12
2024-03-04 08:02:02 INFO api: request served ms=80 rows=7"""
SURVEY = """Survey of members, spring

Q1. How do you travel to work? (n = 412)
| Answer | Members | Visitors |
|---|---|---|
| By bus | 34% | 18% |
| By bicycle | 27% | 9% |
| On foot | 21% | 40% |
| By car | 18% | 33% |"""
JOINED = """Stores
store,city,floor area (m2)
A1,Leith,420
B2,Perth,310
C3,Ayr,515

Sales 2023
store,revenue (USD million),staff
A1,2.4,12
B2,1.9,8
C3,3.1,14"""

FAITHFUL = [
    (MUSEUMS, "North Hall drew 12,500 visitors, 4,500 more than West Tower, which is 56% more."),
    (MUSEUMS, "Old Mill had the highest figure, 20.1 thousand, about 2.5 times West Tower's 8 thousand."),
    (MUSEUMS, "In all, the three museums that reported had 40.6 thousand visitors, an average of about 13.5 thousand."),
    (
        MUSEUMS,
        "Together the two coast museums get 75% of the budget. North Hall leads with 40%, 5 points over South Wing.",
    ),
    (MUSEUMS, "Old Mill, opened in 1888, is the oldest; North Hall followed 33 years later."),
    (RAIN, "March was the wettest month with 91 mm, and May the driest with 37 mm, a difference of 54 mm."),
    (RAIN, "Over the six months 369 mm fell in total, an average of 61.5 mm a month."),
    (RAIN, "From January to June the rain fell from 82 mm to 55 mm, a decline of 33%."),
    (RAIN, "April had 8 wet days, 7 fewer than March. Rain more than halved, from 91 mm to 40 mm."),
    (RAIN, "January is the second wettest month of the half-year, with 82 mm on 14 wet days."),
    (PUMP, "The Brook 3 lifts 28 litres a minute from 45 m. It weighs 96 kg, has two handles and costs $1,250."),
    (PUMP, "With a warranty of five years, the pump costs $250 for each year covered."),
    (
        LOG,
        "Four requests were logged on 4 March 2024; one failed after 3200 ms. The slow query took 1800 ms for 12 rows.",
    ),
    (LOG, "The longest took 3,200 ms, 40 times as long as the fastest at 80 ms."),
    (SURVEY, "Of 412 people asked, 34% of members come by bus, against 18% of visitors, a gap of 16 points."),
    (SURVEY, "On foot is the leading answer of visitors at 40%, nearly twice the members' 21%."),
    (JOINED, "C3 in Ayr earned $3.1 million on 515 m2, $0.7 million more than A1."),
    (JOINED, "The three stores took $7.4 million in total, with 34 staff."),
]
WRONG = [
    (MUSEUMS, "North Hall drew 20.1 thousand visitors.", "20.1 thousand"),
    (MUSEUMS, "West Tower had 9,000 visitors.", "9,000"),
    (MUSEUMS, "The total was 40.7 thousand visitors.", "40.7 thousand"),
    (RAIN, "March had 82 mm of rain.", "82"),
    (RAIN, "From January to June the rain fell by 45%.", "45%"),
    (RAIN, "March is the fourth wettest month by rain.", "fourth"),
    (PUMP, "The pump lifts 82 litres a minute.", "82"),
    (LOG, "Nine requests were logged, of which one failed.", "Nine"),
    (SURVEY, "By bus is chosen by 43% of members.", "43%"),
    (JOINED, "C3 took $3.7 million.", "$3.7 million"),
    (JOINED, "On 12 May 2023 the stores closed.", "12 May 2023"),
]
