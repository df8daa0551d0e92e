FROM scratch
COPY words.txt /
