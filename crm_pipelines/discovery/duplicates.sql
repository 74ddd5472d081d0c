-- Likely duplicates among people: the same name, or one slip apart, and the same postal code or company. Read by duplicates.py.
-- A telephone number or a mailbox decides nothing: switchboards and info@ addresses are shared.
-- Pairs are looked for in blocks that exclude each other, so that none is compared twice.

-- Companies without legal form, dots and words for "and"; each writing once.
CREATE TEMP TABLE companies AS
SELECT company, nullif(reverse(regexp_replace(reverse(trim(replace(replace(replace(replace(replace(replace(
    translate(strip_accents(lower(company)), '.,()-+/&', '        '), ' and ', ' '), ' und ', ' '), ' et ', ' '), ' y ', ' '),
    '   ', ' '), '  ', ' '))), '^(?:(?:$legal_forms) +)+', '')), '') AS c
FROM (SELECT DISTINCT company FROM read_parquet($people) WHERE company IS NOT NULL);

-- Names in plain letters, without titles, ü as u whichever way it was written, f(irst), m(iddle), l(ast) of their words.
CREATE TEMP TABLE bare AS
SELECT i, key, z, company, name, split_part(name, ' ', 1) AS f, split_part(name, ' ', -1) AS l
FROM (
  SELECT i, key, z, company, trim(CASE WHEN contains(name, ',') THEN split_part(name, ',', 2) || ' ' || split_part(name, ',', 1)
      WHEN split_part(name, ' ', 1) IN ($titles) THEN regexp_replace(name, '^(?:(?:$title) +)+', '') ELSE name END) AS name
  FROM (
    SELECT
      file_row_number::INTEGER AS i,
      key,
      trim(replace(replace(replace(replace(replace(
        translate(strip_accents(lower(name)), 'ß.''’', 's '), 'ss', 's'), 'ae', 'a'), 'oe', 'o'), 'ue', 'u'), '  ', ' ')) AS name,
      nullif(ltrim(upper(replace(replace(CASE WHEN contains(postcode, '-') THEN regexp_replace(postcode, '^([0-9]{5})-[0-9]{4}$$', '\1')
        ELSE postcode END, ' ', ''), '-', '')), '0'), '') AS z,
      company
    FROM read_parquet($people, file_row_number = true)
  )
);

CREATE TEMP TABLE places AS SELECT z, count(*) AS n FROM bare WHERE z IS NOT NULL GROUP BY z;
CREATE TEMP TABLE firms AS SELECT c, count(*) AS n FROM bare JOIN companies USING (company) WHERE c IS NOT NULL GROUP BY c;

-- A place or company of thousands is a placeholder ("private", "n/a"): it says nothing, and all its pairs would be compared.
CREATE TEMP TABLE people AS
SELECT i, name, f, l, places.z, firms.c, places.n AS in_place, firms.n AS in_firm
FROM bare LEFT JOIN companies USING (company)
  LEFT JOIN places ON places.z = bare.z AND places.n <= $crowd LEFT JOIN firms ON firms.c = companies.c AND firms.n <= $crowd
WHERE contains(name, ' ') AND (places.z IS NOT NULL OR firms.c IS NOT NULL);

CREATE TEMP TABLE pairs AS
WITH candidates AS (
  SELECT x.i AS a, y.i AS b, x.name AS xn, y.name AS yn, x.f AS xf, y.f AS yf, x.l AS xl, y.l AS yl, true AS z, x.c = y.c AS c
  FROM people x JOIN people y ON x.z = y.z AND x.l = y.l AND x.i < y.i
  UNION ALL
  SELECT x.i, y.i, x.name, y.name, x.f, y.f, x.l, y.l, true, x.c = y.c
  FROM people x JOIN people y ON x.z = y.z AND x.f = y.f AND x.i < y.i AND x.l <> y.l
  UNION ALL
  SELECT x.i, y.i, x.name, y.name, x.f, y.f, x.l, y.l, x.z = y.z, true
  FROM people x JOIN people y ON x.c = y.c AND x.l = y.l AND x.i < y.i AND (x.z = y.z) IS NOT TRUE
  UNION ALL
  SELECT x.i, y.i, x.name, y.name, x.f, y.f, x.l, y.l, x.z = y.z, true
  FROM people x JOIN people y ON x.c = y.c AND x.f = y.f AND x.i < y.i AND x.l <> y.l AND (x.z = y.z) IS NOT TRUE
),
-- What stands between first and last name, what is alike so far is cheap to tell and little.
alike AS (
  SELECT *, substr(xn, length(xf) + 2, greatest(length(xn) - length(xf) - length(xl) - 2, 0)) AS xm,
    substr(yn, length(yf) + 2, greatest(length(yn) - length(yf) - length(yl) - 2, 0)) AS ym
  FROM candidates
  WHERE (z IS NOT FALSE OR c IS NOT FALSE) AND CASE
      WHEN xf = yf THEN xl = yl OR jaro_winkler_similarity(xl, yl) >= 0.8 OR length(xl) <= 4 OR starts_with(xn, yn) OR starts_with(yn, xn)
      WHEN xl = yl THEN jaro_winkler_similarity(xf, yf) >= 0.75 OR length(xf) = 1 OR length(yf) = 1
      ELSE false END
),
named AS (
  SELECT a, b, xf, yf, xl, yl, z, c, CASE
      WHEN xf = yf AND xl = yl THEN CASE
        WHEN xm = ym THEN 'same_name'
        WHEN xm = '' OR ym = '' OR length(xm) = 1 AND xm = ym[1] OR length(ym) = 1 AND ym = xm[1] THEN 'middle_name'
        WHEN damerau_levenshtein(xm, ym) = 1 THEN 'last_name' END
      WHEN xf = yf AND (starts_with(xn, yn || ' ') OR starts_with(yn, xn || ' '))
        AND NOT regexp_full_match(xl || ' ' || yl, '.*\b(?:jr|sr|jun|sen|junior|senior|ii|iii)\b.*') THEN 'shorter'
      WHEN xf = yf AND (xm = ym OR xm = '' OR ym = '') AND damerau_levenshtein(xl, yl) = 1 THEN 'last_name'
      WHEN xl = yl AND (length(xf) = 1 OR length(yf) = 1) AND xf[1] = yf[1] THEN 'initial'
      WHEN xl = yl AND (xm = ym OR xm = '' OR ym = '') AND damerau_levenshtein(xf, yf) = 1 THEN 'first_name'
    END AS rule,
    CASE WHEN xm <> ym OR xm = '' THEN 1 WHEN length(xm) = 1 THEN 0.1 ELSE 0.01 END AS middle
  FROM alike
),
-- How many carry each word: a pair is weighed by how many others in that place would carry such a name by chance.
firsts AS (SELECT f, count(*) AS n FROM people GROUP BY f),
lasts AS (SELECT l, count(*) AS n FROM people GROUP BY l),
weighed AS (
  SELECT named.*, least(fx.n, fy.n) AS often,
    greatest(least(fx.n, fy.n) - 1, 0)::DOUBLE * greatest(least(lx.n, ly.n) - 1, 0) / greatest((SELECT count(*) FROM people), 1000) ^ 2 * middle
      * least(CASE WHEN named.z THEN x.in_place ELSE 1e9 END, CASE WHEN named.c THEN x.in_firm ELSE 1e9 END) AS chance
  FROM named JOIN people x ON x.i = a
    LEFT JOIN firsts fx ON fx.f = xf LEFT JOIN firsts fy ON fy.f = yf
    LEFT JOIN lasts lx ON lx.l = xl LEFT JOIN lasts ly ON ly.l = yl
  WHERE rule IS NOT NULL
)
SELECT * FROM weighed
WHERE chance * CASE WHEN z IS FALSE OR c IS FALSE THEN $against ELSE 1 END
    <= CASE rule WHEN 'same_name' THEN $by_chance WHEN 'middle_name' THEN $by_chance / 2
      ELSE $by_chance / 400 END
  AND (rule <> 'first_name' OR often <= $often AND (length(xf) = length(yf) OR xf <> yf || 'a' AND yf <> xf || 'a'));

COPY (
  SELECT x.key AS first, y.key AS second, rule, coalesce(pairs.z, false) AS same_postcode, coalesce(pairs.c, false) AS same_company
  FROM pairs JOIN bare x ON x.i = a JOIN bare y ON y.i = b
) TO $found (FORMAT parquet);
