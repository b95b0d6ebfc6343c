-- In which form the index rows are made, and how far a rebuild has come: the
-- rows of resources up to `place` are in the form; NULL: all are. A `form` of
-- NULL is that of a program that did not know of forms.
CREATE TABLE index_state (
    form INTEGER,
    place INTEGER
);
INSERT INTO index_state (form, place) VALUES (NULL, 0);
