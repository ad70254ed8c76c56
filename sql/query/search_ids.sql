-- Rank. $1 JSON object: query, category, minPrice, maxPrice, brand, colour, featured, inStock, sortBy (price-asc, price-desc, newest,
-- popular; relevance unless given), limit, offset, all optional -> {"ids": ["12", ...], "total": n, "corrected": {"wrong": "right"}}.
SELECT shop.search_ids($1::jsonb)
