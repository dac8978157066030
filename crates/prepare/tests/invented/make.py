"""Makes the invented rows in MovieLens-1M's format, and the table of samples that they should give.

Run it in this folder. The people and their ratings are made up; it needs nothing but Python.
"""

import csv

USERS = [(1, "F", 18, 4, "00501"), (2, "M", 56, 16, "99950-1234"), (3, "F", 25, 0, "12345")]
MOVIES = [(movie, title, genres) for movie, (title, genres) in enumerate(
    [("Invented: One (1990)", "Drama"), ("Caf\u00e9 Invented (1991)", "Comedy|Romance"), ("Two, no (1992)", "Drama|War"),
     ("Three (1993)", "Children's|Film-Noir|Drama"), ("Four (1994)", "Comedy")], start=101)]
KINDS = ["Action", "Action|Sci-Fi", "Horror"]
MOVIES += [(movie, f"Number {movie} (2000)", KINDS[movie % 3]) for movie in range(106, 121)]

# (user, movie, rating, timestamp, seq): ties in time, an order that is not that of the file, ratings without order.
ratings = []
for user, count, step in [(1, 16, 7), (2, 13, 3), (3, 2, 5)]:
    for seq in range(count):
        movie = 101 + (seq * step + user) % 20
        rating = 1 + (seq * 3 + user * 2) % 5
        ratings.append((user, movie, rating, 978300000 + 60 * (seq // 3), seq))
ratings.append((1, 120, 5, 978309999, -1))
ratings.append((3, 119, 4, 978309999, -1))
ratings.sort(key=lambda row: (row[2], row[1], row[0]))

with open("ml1m/ratings.csv", "w", newline="") as file:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["userId", "movieId", "rating", "timestamp", "seq"])
    writer.writerows(ratings)
with open("ml1m/users.dat", "w") as file:
    file.writelines("::".join(map(str, user)) + "\n" for user in USERS)
with open("ml1m/movies.dat", "w", encoding="latin-1") as file:
    file.writelines("::".join(map(str, movie)) + "\n" for movie in MOVIES)

genres = {movie: text for movie, _, text in MOVIES}
parts = {"train": [], "test": []}
for user in USERS:
    rows = sorted((row for row in ratings if row[0] == user[0] and row[4] >= 0), key=lambda row: row[4])
    liked = []
    for place, (_, movie, rating, _, _) in enumerate(rows):
        if liked:
            part = "test" if place >= len(rows) - 10 else "train"
            history = "|".join(map(str, liked[-50:]))
            parts[part].append([int(rating >= 4), user[0], movie, *user[1:], genres[movie], history])
        if rating >= 4:
            liked.append(movie)
for part, rows in parts.items():
    with open(f"ml1m_ctr/{part}.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow("label userId movieId gender age occupation zipCode genres histHighRatedMovieIds".split())
        writer.writerows(rows)
    print(part, len(rows))
