-- $1 policies or faqs -> the document, as the text of a file
SELECT shop.service_export($1) || E'\n'
