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

HARBOUR = """Visitors to the Carn Point lighthouse, 2015-2023
Year,Visitors,Revenue (USD thousand)
2015,12400,61.2
2016,13100,66.0
2017,12850,64.1
2018,14900,78.5
2019,16200,88.3
2020,4100,19.7
2021,7300,37.9
2022,13800,80.2
2023,15900,96.4"""
ALBEDO = """| Material | Type | Albedo low | Albedo high | Sample count |
|---|---|---|---|---|
| Fresh snow | natural | 0.80 | 0.90 | 14 |
| Desert sand | natural | 0.30 | 0.40 | 9 |
| Fresh asphalt | man-made | 0.03 | 0.04 | 11 |
| Worn asphalt | man-made | 0.10 | 0.12 | n/a |
| Green grass | natural | 0.20 | 0.25 | 16 |
| New concrete | man-made | 0.50 | 0.55 | 7 |"""

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
    (HARBOUR, "Visits rose from 12,400 in 2015 to a peak of 16,200 in 2019, an increase of about 31%."),
    (HARBOUR, "In 2020 they fell to 4,100, roughly a quarter of the 16,200 of 2019, and rose to 15,900 by 2023."),
    (
        HARBOUR,
        "Revenue climbed to $88,300 in 2019 and fell by nearly 78% to $19,700 in 2020. In total it was $592,300.",
    ),
    (HARBOUR, "Revenue per visitor rose from about $4.94 in 2015 to $6.06 in 2023."),
    (HARBOUR, "Between 2020 and 2023 attendance almost quadrupled; the average over all years is about 12,300."),
    (ALBEDO, "Fresh snow lies between 0.80 and 0.90; fresh asphalt reflects only 3 to 4 percent of the light."),
    (ALBEDO, "Worn asphalt, at 0.10 to 0.12, reflects about three times as much as fresh asphalt."),
    (ALBEDO, "No sample count is given for worn asphalt; the other five were measured on 57 samples in all."),
    (ALBEDO, "Among the three man-made materials, new concrete stands out with 0.50 to 0.55."),
    (LOG, "Attention: the failed query took 3.2 seconds, more than 26 times as long as the first request."),
    (SURVEY, "40% of visitors come on foot and one in three by car, while only 9% cycle."),
    (SURVEY, "Cycling is three times as common among members as among visitors."),
    (PUMP, "In one hour it delivers up to 1,680 litres."),
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
