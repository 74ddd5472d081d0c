-- Likely duplicates among people: names alike, and the same postal code, company or telephone number. Read by duplicates.py.
-- A name is a list of words, each a number (plain_people.py): f(irst), l(ast), and what is between. z, c, p: place, company, telephone.
-- A shared switchboard or mailbox decides nothing: a number counts by how few share it, a mailbox not at all.

CREATE TEMP TABLE words AS
SELECT id, word, letters, n, (ascii(word) & 255)::INTEGER AS initial, least(length(word), 255)::UTINYINT AS size FROM read_parquet($words);

CREATE TEMP TABLE people AS
SELECT file_row_number::INTEGER AS i, w, mark, f, l, m, m2, z, c, p, fw.letters AS fs, lw.letters AS ls,
  fw.initial * 256 + lw.initial AS initials, fw.n <= $rare AND lw.n <= $rare AS is_rare
FROM read_parquet($plain, file_row_number = true) JOIN words fw ON fw.id = f JOIN words lw ON lw.id = l;

-- Pairs that share a group and enough of the name. One slip changes at most two of the letters that a word has.
CREATE TEMP TABLE candidates AS
SELECT x.i AS a, y.i AS b FROM people x JOIN people y ON x.z = y.z AND x.l = y.l AND x.i < y.i
UNION ALL
SELECT x.i, y.i FROM people x JOIN people y ON x.z = y.z AND x.f = y.f AND x.i < y.i AND x.l <> y.l
  AND (bit_count(xor(x.ls, y.ls)) <= 2 OR x.l = y.m OR x.l = y.m2 OR y.l = x.m OR y.l = x.m2)
UNION ALL
SELECT x.i, y.i FROM people x JOIN people y ON x.z = y.z AND x.f = y.l AND x.f <> y.f AND x.l <> y.l
  AND (x.l = y.f AND x.i < y.i OR x.l = y.m OR x.l = y.m2)
UNION ALL
SELECT x.i, y.i FROM people x JOIN people y ON x.z = y.z AND x.initials = y.initials AND x.is_rare AND (x.i < y.i OR NOT y.is_rare)
  AND x.l <> y.l AND x.f <> y.f
  AND bit_count(xor(x.ls, y.ls)) <= 2 AND bit_count(xor(x.fs, y.fs)) <= 2
UNION ALL
SELECT x.i, y.i FROM people x JOIN people y ON x.c = y.c AND x.l = y.l AND x.i < y.i AND (x.z = y.z) IS NOT TRUE
UNION ALL
SELECT x.i, y.i FROM people x JOIN people y ON x.c = y.c AND x.f = y.f AND x.i < y.i AND x.l <> y.l AND (x.z = y.z) IS NOT TRUE
  AND (bit_count(xor(x.ls, y.ls)) <= 2 OR x.l = y.m OR x.l = y.m2 OR y.l = x.m OR y.l = x.m2)
UNION ALL
SELECT x.i, y.i FROM people x JOIN people y ON x.c = y.c AND x.f = y.l AND x.f <> y.f AND x.l <> y.l AND (x.z = y.z) IS NOT TRUE
  AND (x.l = y.f AND x.i < y.i OR x.l = y.m OR x.l = y.m2)
UNION ALL
SELECT x.i, y.i FROM people x JOIN people y ON x.c = y.c AND x.initials = y.initials AND x.is_rare AND (x.i < y.i OR NOT y.is_rare)
  AND x.l <> y.l AND x.f <> y.f
  AND bit_count(xor(x.ls, y.ls)) <= 2 AND bit_count(xor(x.fs, y.fs)) <= 2 AND (x.z = y.z) IS NOT TRUE
UNION ALL
SELECT x.i, y.i FROM read_parquet($lines) JOIN people x USING (p) JOIN people y ON x.p = y.p AND x.i < y.i AND (x.z = y.z) IS NOT TRUE
  AND (x.c = y.c) IS NOT TRUE
  AND (x.f = y.f OR x.l = y.l OR x.f = y.l OR x.l = y.f OR x.initials = y.initials);

-- Which words the two do not share; first and last names that are neither equal, nor short forms, nor may be a slip, are no pair.
CREATE TEMP TABLE compared AS
SELECT a, b, x.f AS xf, y.f AS yf, x.l AS xl, y.l AS yl, x.w AS xw, y.w AS yw, x.z = y.z AS z, x.c = y.c AS c, x.p = y.p AS p,
  least(places.size, firms.size, lines.size) AS near,
  xfw.word AS xfirst, yfw.word AS yfirst, xfw.n AS xfn, yfw.n AS yfn, short.one IS NOT NULL AS is_short,
  (xfw.size = 1 AND xfw.letters > 0 OR yfw.size = 1 AND yfw.letters > 0) AND xfw.initial = yfw.initial AS is_initial
FROM candidates JOIN people x ON x.i = a JOIN people y ON y.i = b JOIN words xfw ON xfw.id = x.f JOIN words yfw ON yfw.id = y.f
  LEFT JOIN read_parquet($short) short ON short.one = x.f AND short.other = y.f
  LEFT JOIN read_parquet($places) places ON places.z = x.z AND x.z = y.z LEFT JOIN read_parquet($firms) firms ON firms.c = x.c AND x.c = y.c
  LEFT JOIN read_parquet($lines) lines ON lines.p = x.p AND x.p = y.p
WHERE x.mark IS NOT DISTINCT FROM y.mark
  AND (x.l <> y.l OR x.f = y.f OR is_short OR is_initial OR least(xfw.size, yfw.size) >= $shortest AND bit_count(xor(x.fs, y.fs)) <= 2);

CREATE TEMP TABLE named AS
WITH unshared AS (
  SELECT compared.*, xlw.n AS xln, ylw.n AS yln,
    least(xlw.size, ylw.size) >= $shortest AND damerau_levenshtein(xlw.word, ylw.word) = 1 AS is_last_slip,
    list_filter(xw, lambda one: NOT list_contains(yw, one)) AS xo, list_filter(yw, lambda one: NOT list_contains(xw, one)) AS yo
  FROM compared JOIN words xlw ON xlw.id = xl JOIN words ylw ON ylw.id = yl
),
counted AS (
  SELECT *, len(xo) AS xn, len(yo) AS yn, least(len(xo), len(yo)) AS fewer, greatest(len(xo), len(yo)) AS more FROM unshared
)
SELECT counted.*, least(len(xw), len(yw)) > fewer + 2 AS has_middle, CASE
    WHEN xf = yf AND xl = yl THEN CASE
      WHEN more = 0 THEN 'same_name'
      WHEN fewer = 0 THEN 'middle_name'
      WHEN more = 1 AND (xow.size = 1 OR yow.size = 1) AND xow.initial = yow.initial THEN 'middle_name'
      WHEN more = 1 AND least(xow.size, yow.size) >= $shortest AND damerau_levenshtein(xow.word, yow.word) = 1 THEN 'between' END
    WHEN xf = yf THEN CASE
      WHEN fewer = 0 THEN 'shorter'
      WHEN fewer = 1 AND list_contains(xo, xl) AND list_contains(yo, yl) AND is_last_slip THEN 'last_name' END
    WHEN xl = yl THEN CASE
      WHEN fewer <> 1 OR NOT list_contains(xo, xf) OR NOT list_contains(yo, yf) THEN NULL
      WHEN is_initial THEN 'initial'
      WHEN more = 1 AND (least(xfn, yfn) <= $often OR NOT is_short) AND damerau_levenshtein(xfirst, yfirst) = 1 THEN 'first_name'
      WHEN is_short THEN 'short_name' END
    WHEN fewer = 0 AND (xl = yf OR yl = xf) THEN 'turned'
    WHEN more = 2 AND fewer = 2 AND least(length(xfirst), length(yfirst)) >= $shortest
      AND damerau_levenshtein(xfirst, yfirst) = 1 AND is_last_slip THEN 'two_slips'
  END AS rule
FROM counted LEFT JOIN words xow ON xow.id = xo[1] LEFT JOIN words yow ON yow.id = yo[1];

-- How many others bear such a name: those who were counted with it, and as many as its words' frequencies would make.
CREATE TEMP TABLE bearers AS SELECT f, l, count(*) AS n FROM people GROUP BY f, l HAVING count(*) > 1;

CREATE TEMP TABLE weighed AS
WITH borne AS (
  SELECT named.*, least(xfn, yfn) - 1 AS often, CASE rule
      WHEN 'turned' THEN greatest(xb.n, yb.n) - 1
      WHEN 'shorter' THEN CASE WHEN xn = 0 THEN xb.n ELSE yb.n END - 1
      ELSE least(coalesce(xb.n, 1), coalesce(yb.n, 1)) - CASE WHEN xf = yf AND xl = yl THEN 2 ELSE 1 END END AS others,
    (CASE WHEN rule IN ('turned', 'shorter') THEN xfn ELSE least(xfn, yfn) END - 1)::DOUBLE AS first_n,
    CASE rule WHEN 'turned' THEN xln WHEN 'shorter' THEN CASE WHEN xn = 0 THEN xln ELSE yln END ELSE least(xln, yln) END - 1 AS last_n
  FROM named LEFT JOIN bearers xb ON xb.f = xf AND xb.l = xl LEFT JOIN bearers yb ON yb.f = yf AND yb.l = yl
  WHERE rule IS NOT NULL
),
known AS (SELECT greatest(count(*), 1000) AS n FROM people)
-- How many others within the smallest group that the two share would bear such a name by chance.
SELECT borne.*, near * (greatest(coalesce(others, 0), 0) + first_n * last_n / known.n) / known.n
  * CASE WHEN has_middle THEN $middle ELSE 1 END * CASE WHEN z IS FALSE OR c IS FALSE THEN $against ELSE 1 END
  * CASE WHEN p THEN $same_phone WHEN NOT p THEN $other_phone ELSE 1 END AS chance,
  CASE WHEN rule = 'initial' THEN CASE WHEN length(xfirst) = 1 THEN a ELSE b END END AS initial_of,
  CASE WHEN length(xfirst) = 1 THEN yf ELSE xf END AS spelt_out
FROM borne, known;

-- An initial that fits two people of one family says nothing. A name that many bear is a name, and no slip: Marie and Maria, Jan and Jana.
COPY (
  WITH told AS (
    SELECT *, initial_of IS NOT NULL AND
      min(spelt_out) OVER (PARTITION BY initial_of) <> max(spelt_out) OVER (PARTITION BY initial_of) AS fits_many
    FROM weighed
  ),
  keys AS (SELECT file_row_number AS i, key FROM read_parquet($people, file_row_number = true))
  SELECT x.key AS first, y.key AS second, rule, coalesce(z, false) AS same_postcode, coalesce(c, false) AS same_company,
    coalesce(p, false) AS same_phone
  FROM told JOIN (VALUES $limits) limits(rule, at_home, at_work) USING (rule) JOIN keys x ON x.i = a JOIN keys y ON y.i = b
  WHERE chance <= CASE WHEN c THEN at_work ELSE at_home END AND NOT fits_many
    AND (rule NOT IN ('first_name', 'two_slips') OR often <= CASE WHEN c THEN $often_at_work ELSE $often END
      AND xfirst <> yfirst || 'a' AND yfirst <> xfirst || 'a')
) TO $found (FORMAT parquet);
