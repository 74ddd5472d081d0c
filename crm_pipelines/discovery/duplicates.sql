-- Likely duplicates among people: the same name, or one letter apart, and the same postal code or company. Read by duplicates.py.
-- A telephone number or a mailbox decides nothing: switchboards and info@ addresses are shared.
-- Pairs are looked for in blocks that exclude each other, so that none is compared twice.

CREATE TEMP TABLE bare AS
SELECT i, key, split_part(name, ' ', 1) AS f, split_part(name, ' ', -1) AS l, z, c
FROM (
  SELECT
    file_row_number::INTEGER AS i,
    key,
    trim(replace(replace(strip_accents(lower(name)), '.', ' '), '  ', ' ')) AS name,
    nullif(upper(regexp_replace(postcode, '[\s-]+', '', 'g')), '') AS z,
    nullif(trim(regexp_replace(strip_accents(lower(company)), '[\s,.]+($legal_forms)[.]?$$', '')), '') AS c
  FROM read_parquet($people, file_row_number = true)
)
WHERE contains(name, ' ') AND (z IS NOT NULL OR c IS NOT NULL);

-- A first name that many carry is a name of its own, not a slip of another one: `often` tells how many.
CREATE TEMP TABLE people AS
SELECT i, f, l, z, c, substr(l, 1, 3) AS l3, count(*) OVER (PARTITION BY f) AS often FROM bare;

CREATE TEMP TABLE pairs AS
WITH candidates AS (
  SELECT x.i AS a, y.i AS b, x.f AS xf, y.f AS yf, x.l AS xl, y.l AS yl, true AS z, x.c = y.c AS c, least(x.often, y.often) AS often
  FROM people x JOIN people y ON x.z = y.z AND x.l3 = y.l3 AND x.i < y.i
  UNION ALL
  SELECT x.i, y.i, x.f, y.f, x.l, y.l, true, x.c = y.c, least(x.often, y.often)
  FROM people x JOIN people y ON x.z = y.z AND x.f = y.f AND x.i < y.i AND x.l3 <> y.l3
  UNION ALL
  SELECT x.i, y.i, x.f, y.f, x.l, y.l, x.z = y.z, true, least(x.often, y.often)
  FROM people x JOIN people y ON x.c = y.c AND x.l3 = y.l3 AND x.i < y.i AND (x.z = y.z) IS NOT TRUE
  UNION ALL
  SELECT x.i, y.i, x.f, y.f, x.l, y.l, x.z = y.z, true, least(x.often, y.often)
  FROM people x JOIN people y ON x.c = y.c AND x.f = y.f AND x.i < y.i AND x.l3 <> y.l3 AND (x.z = y.z) IS NOT TRUE
),
alike AS (  -- Jaro-Winkler is cheap and lets few through; what it lets through is held to one letter
  SELECT * FROM candidates
  WHERE z IS NOT FALSE AND c IS NOT FALSE  -- another postal code or another company speaks against it
    AND ((xf = yf AND (xl = yl OR jaro_winkler_similarity(xl, yl) >= 0.85)) OR (xl = yl AND jaro_winkler_similarity(xf, yf) >= 0.8))
)
SELECT a, b, coalesce(z, false) AS z, coalesce(c, false) AS c, CASE
    WHEN xf = yf AND xl = yl THEN 'same_name'
    WHEN xf = yf AND damerau_levenshtein(xl, yl) = 1 THEN 'last_name'
    WHEN xl = yl AND damerau_levenshtein(xf, yf) = 1
      AND (c AND often <= $often_company OR often <= $often_postcode AND xf <> yf || 'a' AND yf <> xf || 'a') THEN 'first_name'
  END AS rule
FROM alike;

COPY (
  SELECT x.key AS first, y.key AS second, rule, pairs.z AS same_postcode, pairs.c AS same_company
  FROM pairs JOIN bare x ON x.i = a JOIN bare y ON y.i = b
  WHERE rule IS NOT NULL
) TO $found (FORMAT parquet);
